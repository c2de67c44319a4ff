// What the client tests in Node share: checks that count, calls to the service, and waiting until something is so.

const patience = 20_000;
let passed = 0;
let failed = 0;

export function check(name, good, seen) {
    if (good) {
        passed += 1;
        console.log(`ok      ${name}`);
    } else {
        failed += 1;
        console.log(`FAILED  ${name}${seen === undefined ? '' : `: saw ${JSON.stringify(seen)}`}`);
    }
}

// Runs the checks, counts a thrown error as a failed one, prints the closing line and sets the exit code.
export async function run(checks) {
    try {
        await checks();
    } catch (error) {
        check('the checks run to their end', false, String(error?.stack ?? error));
    }
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

// Reads until `good(value)` or out of patience; answers the last value.
export async function until(read, good = Boolean) {
    const end = Date.now() + patience;
    for (;;) {
        const value = await read();
        if (good(value) || Date.now() > end) return value;
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

export class Service {
    constructor(base) {
        this.base = base.replace(/\/$/, '');
    }

    async call(method, path, body) {
        const response = await fetch(`${this.base}/api/orchestration${path}`, {
            method,
            headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
            body: body === undefined ? undefined : JSON.stringify(body),
            signal: AbortSignal.timeout(10_000),
        });
        const text = await response.text();
        try {
            return { status: response.status, body: JSON.parse(text) };
        } catch {
            return { status: response.status, body: { notJson: text.slice(0, 200) } };
        }
    }

    async agent(id) {
        const { status, body } = await this.call('GET', `/agents/${id}`);
        return status === 200 ? body.agent : undefined;
    }
}

// What the documented JavaScript sample must have caused, wherever it runs; `received` answers the lines that it printed.
export async function checkSample(service, received) {
    const agent = await until(() => service.agent('my-agent'), (found) => found?.status === 'busy');
    check('my-agent is registered on its first frame', agent !== undefined);
    check('its status is busy', agent?.status === 'busy', agent);
    check('its task is listed', agent?.current_task === 'Implementing feature', agent);
    check('its workload is 0.7', agent?.workload === 0.7, agent);
    const changes = await until(
        async () => (await service.call('GET', '/sync/changes')).body.changes?.filter(
            (change) => change.file_path === 'src/main.js' && change.agent_id === 'my-agent'),
        (found) => found?.length > 0);
    check('the change of src/main.js is listed as modified', changes?.some((change) => change.change_type === 'modified'), changes);

    const greeted = await until(received, (lines) => lines.some((line) => line.includes('agent_connection_established')));
    check("'Connected to orchestration service' is printed", greeted.some((line) => line.includes('Connected to orchestration service')), greeted);
    for (const kind of ['agent_connection_established', 'status_update_ack', 'code_change_ack']) {
        const lines = await until(received, (found) => found.some((line) => line.includes(kind)));
        check(`'Received:' is printed with ${kind}`, lines.some((line) => line.includes('Received:') && line.includes(kind)), lines);
    }
    const sent = await service.call('POST', '/agents/my-agent/message', { action: 'please-print-this' });
    check('a message to it is accepted', sent.status === 200, sent);
    const printed = await until(received, (lines) => lines.some((line) => line.includes('please-print-this')));
    check("'Received:' is printed with the message", printed.some((line) => line.includes('Received:') && line.includes('please-print-this')), printed);
}
