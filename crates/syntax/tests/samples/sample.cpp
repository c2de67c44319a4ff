#include "foo.hpp"
using namespace std; using ns::Foo; namespace al = a::b;
namespace a::b { 
template <typename T> class A final : public B<T>, private c::D { public: A(int x, int y = 2); explicit A(const A& o) : B(o), x_(1) { } ~A(); virtual int m(const std::string& s, Foo* f = nullptr) const override; static A make(); int x_; std::unique_ptr<Foo> p; void inl() { this->m(1); p->go(); m(2); A::make(); } operator bool() const; enum class E { X, Y }; };
struct S { int a; };
}
int a::b::A<T>::m(const std::string& s, Foo* f) const { auto q = std::make_shared<Foo>(1); Foo f2(1, 2); Foo f3{1}; auto* z = new c::D(1); z->run(); f2.go(); c::D::stat(1); auto l = [&](int k) { return k.x; }; for (auto& e : v) e.m(); try {} catch (const E& e) {} return static_cast<int>(1); }
typedef int I; using J = Foo; template<class T> T tf(T a) { return tf<int>(a); }
auto trail(int a) -> Foo { }
