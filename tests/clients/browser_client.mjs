// The documented JavaScript sample, unmodified, in a page of http://localhost:3000, and the service's own /docs page.
//
// Usage: node browser_client.mjs [http://localhost:8000] [--screenshot docs.png]     after `npm install` here
// Needs Chromium on the PATH, port 3000, and a server at localhost:8000 that lists the origin http://localhost:3000.

import { accessSync, constants } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { check, checkSample, run, Service, until } from './checks.mjs';

const { values: flags, positionals } = parseArgs({
    options: { screenshot: { type: 'string' } },
    allowPositionals: true,
});
const service = new Service(positionals[0] ?? 'http://localhost:8000');
const pagePort = 3000;
const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

function findChromium() {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
        for (const name of ['chromium', 'chromium-browser']) {
            try {
                const path = join(folder, name);
                accessSync(path, constants.X_OK);
                return path;
            } catch {
                // not here
            }
        }
    }
    throw new Error('no chromium on the PATH; on Debian: apt-get install chromium');
}

async function servePage() {
    const folder = new URL('../../examples/javascript/', import.meta.url);
    const files = { '/': ['index.html', 'text/html'], '/sample.js': ['sample.js', 'text/javascript'] };
    const server = createServer(async (request, response) => {
        const [name, type] = files[request.url] ?? [];
        if (name === undefined) return response.writeHead(404).end();
        response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(await readFile(new URL(name, folder)));
    });
    await new Promise((resolve, reject) => server.once('error', reject).listen(pagePort, 'localhost', resolve));
    return server;
}

// The console's lines, with objects written out whole.
function consoleOf(page) {
    const lines = [];
    page.on('console', async (entry) => {
        const parts = await Promise.all(entry.args().map((part) => part.jsonValue().catch(() => entry.text())));
        lines.push(parts.length === 0 ? entry.text() : parts.map((part) => typeof part === 'string' ? part : JSON.stringify(part)).join(' '));
    });
    page.on('pageerror', (error) => lines.push(`page error: ${error}`));
    return lines;
}

async function theSampleInAPage(browser) {
    await service.call('DELETE', '/agents/my-agent');
    const server = await servePage();
    const page = await browser.newPage();
    try {
        const lines = consoleOf(page);
        await page.goto(`http://localhost:${pagePort}/`);
        await checkSample(service, () => lines);
        check('the page has no errors', !lines.some((line) => line.startsWith('page error')), lines);
    } finally {
        await page.close();
        server.close();
        server.closeAllConnections();
        await service.call('DELETE', '/agents/my-agent');
    }
}

async function theDocsPage(browser) {
    const page = await browser.newPage();
    const foreign = [];
    const broken = [];
    const lines = consoleOf(page);
    page.on('request', (request) => {
        const url = new URL(request.url());
        if (url.protocol !== 'data:' && url.protocol !== 'blob:' && url.origin !== new URL(service.base).origin) foreign.push(request.url());
    });
    page.on('requestfailed', (request) => broken.push(`${request.url()} ${request.failure()?.errorText}`));
    page.on('response', (response) => { if (response.status() >= 400) broken.push(`${response.url()} ${response.status()}`); });
    try {
        const answer = await page.goto(`${service.base}/docs`);
        check('/docs answers 200', answer?.status() === 200, answer?.status());
        const { paths } = await (await fetch(`${service.base}/openapi.json`)).json();
        const operations = Object.values(paths).flatMap((path) => Object.keys(path).filter((key) => methods.includes(key))).length;
        const shown = await until(() => page.locator('.opblock').count(), (count) => count >= operations);
        check(`/docs shows all ${operations} operations of /openapi.json`, operations > 0 && shown === operations, shown);
        await page.waitForLoadState('networkidle');
        if (flags.screenshot !== undefined) await page.screenshot({ path: flags.screenshot });
        check('/docs asks only the server', foreign.length === 0, foreign);
        check('/docs has no failed request', broken.length === 0, broken);
        check('/docs has no script error', !lines.some((line) => line.startsWith('page error')), lines);
    } finally {
        await page.close();
    }
}

await run(async () => {
    const profile = await mkdtemp(join(tmpdir(), 'browser-client-'));
    const browser = await chromium.launchPersistentContext(profile, {
        executablePath: findChromium(),
        headless: true,
        viewport: { width: 1280, height: 1600 },
        args: [
            '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--disable-sync',
        ],
    });
    try {
        await theSampleInAPage(browser);
        await theDocsPage(browser);
    } finally {
        await browser.close();
        await rm(profile, { recursive: true, force: true });
    }
});
