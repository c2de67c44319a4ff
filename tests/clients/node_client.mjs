// The documented JavaScript sample, unmodified, in Node against a live server.
//
// Usage: node node_client.mjs [http://localhost:8000]     after `npm install` here and in examples/javascript
// The sample names its server, so that one must listen at localhost:8000.

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import WebSocket from 'ws';
import { check, checkSample, run, Service, until } from './checks.mjs';

const root = new URL('../../', import.meta.url);
const sample = fileURLToPath(new URL('tests/seed/javascript_sample.js', root));
const preload = pathToFileURL(fileURLToPath(new URL('examples/javascript/register-websocket.mjs', root))).href;
const service = new Service(process.argv[2] ?? 'http://localhost:8000');

// The main orchestration hub sees what the sample does.
function watchHub() {
    const pushes = [];
    const socket = new WebSocket(`${service.base.replace(/^http/, 'ws')}/api/orchestration/ws/orchestrator`);
    socket.on('message', (text) => pushes.push(JSON.parse(text)));
    socket.on('error', (error) => pushes.push({ type: 'error', message: String(error) }));
    return { socket, pushes };
}

// Starts the sample. A printed object spans lines, so a line counts from one 'Received:' to the next.
function startSample() {
    const child = spawn(process.execPath, ['--import', preload, sample], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (data) => { text += data; });
    child.stderr.on('data', (data) => { text += data; });
    return { child, received: () => text.split(/^(?=Received:)/m) };
}

await run(async () => {
    const text = await readFile(sample, 'utf8');
    for (const copy of ['agent.mjs', 'sample.js']) {
        const same = await readFile(new URL(`examples/javascript/${copy}`, root), 'utf8') === text;
        check(`examples/javascript/${copy} is the documented sample`, same);
    }
    await service.call('DELETE', '/agents/my-agent');
    const hub = watchHub();
    await until(() => hub.pushes.length > 0);
    check('the hub greets', hub.pushes[0]?.type === 'connection_established', hub.pushes[0]);
    const { child, received } = startSample();
    try {
        await checkSample(service, received);
        for (const kind of ['agent_registered', 'agent_status_update', 'code_change_detected', 'agent_message']) {
            const seen = () => hub.pushes.some((push) => push.type === kind && JSON.stringify(push).includes('my-agent'));
            check(`the hub is told: ${kind}`, await until(seen), hub.pushes.map((push) => push.type));
        }
        check('the sample still runs', child.exitCode === null, received());
    } finally {
        child.kill();
        hub.socket.close();
        await service.call('DELETE', '/agents/my-agent');
    }
});
