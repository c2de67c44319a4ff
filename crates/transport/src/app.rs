//! The application: middleware, routes and pages; the same in production and in tests.

use crate::access::AccessRules;
use crate::answer::{Refusal, status_of};
use crate::context::Context;
use crate::openapi::Description;
use crate::routes;
use actix_cors::Cors;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderName, HeaderValue, LOCATION};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use utoipa::OpenApi;
use utoipa_actix_web::UtoipaApp;
use utoipa_swagger_ui::SwaggerUi;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Registers all services on an application that has its data.
pub(crate) fn services<T>(app: UtoipaApp<T>, context: &web::Data<Context>) -> UtoipaApp<T>
where
    T: actix_web::dev::ServiceFactory<ServiceRequest, Config = (), Error = actix_web::Error, InitError = ()>,
{
    let context = context.clone();
    app.openapi(Description::openapi())
        .service(utoipa_actix_web::scope("/api/orchestration").configure(routes::configure))
        .service(routes::health::show_metrics)
        .openapi_service(move |api| {
            context.routes.learn(&api);
            SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", api)
        })
        .route("/docs", web::get().to(to_docs))
        .default_service(web::to(no_route))
}

async fn to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}

async fn no_route(context: web::Data<Context>, request: HttpRequest) -> HttpResponse {
    let (refusal, allowed) = context.routes.refuse(request.method().as_str(), request.path());
    let mut answer = refusal.error_response();
    if let Some(allowed) = allowed.and_then(|allowed| HeaderValue::from_str(&allowed).ok()) {
        answer.headers_mut().insert(ALLOW, allowed);
    }
    answer
}

/// Headers for pages of the listed origins.
pub(crate) fn cors(rules: &AccessRules) -> Cors {
    let allowed = rules.origins().iter().fold(Cors::default(), |cors, origin| cors.allowed_origin(origin));
    allowed.allow_any_method().allow_any_header().expose_any_header().max_age(3_600)
}

/// Before any handler: who may ask. After it: the request's id, and a line in the log.
pub(crate) async fn guard(
    rules: web::Data<AccessRules>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = request_id(&request);
    if let Err(refusal) = rules.check(request.headers()) {
        tracing::warn!(request_id = ?id, path = request.path(), code = ?refusal.0.code, "refused: {}", refusal.0.detail);
        metrics::counter!("orchestrator_http_refused_total").increment(1);
        let mut response = request.into_response(refused(&refusal));
        response.headers_mut().insert(REQUEST_ID, id);
        return Ok(response);
    }
    if request.method() == Method::HEAD {
        // HEAD answers as GET does; the wire leaves the body out.
        request.head_mut().method = Method::GET;
    }
    let started = std::time::Instant::now();
    let mut response = next.call(request).await?;
    metrics::counter!("orchestrator_http_requests_total").increment(1);
    if response.status().is_server_error() {
        metrics::counter!("orchestrator_http_errors_total").increment(1);
    }
    tracing::debug!(
        request_id = ?id,
        method = %response.request().method(),
        path = response.request().path(),
        status = response.status().as_u16(),
        elapsed = ?started.elapsed(),
        "orchestration request"
    );
    response.headers_mut().insert(REQUEST_ID, id);
    Ok(response.map_into_boxed_body())
}

fn refused(refusal: &Refusal) -> HttpResponse {
    HttpResponse::build(status_of(refusal.0.code)).json(&refusal.0)
}

/// The caller's id when it is a short plain word, a new one otherwise.
fn request_id(request: &ServiceRequest) -> HeaderValue {
    let plain = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=64).contains(&bytes.len()) && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    request.headers().get(&REQUEST_ID).filter(plain).cloned().unwrap_or_else(|| {
        let mut text = [0_u8; uuid::fmt::Hyphenated::LENGTH];
        let id = uuid::Uuid::now_v7().hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static("none"))
    })
}
