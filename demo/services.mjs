// SPDX-License-Identifier: Apache-2.0
// The world around the agent, on loopback, over TLS: the model's provider (replays conversation.json), the
// issue tracker (issues and git), a package mirror, and the attacker's collector. Each keeps a journal of
// what reached it: DIR/NAME.jsonl.
// usage: services.mjs DIR, with key.pem, cert.pem, tokens.json and repos/ in DIR; writes DIR/ready
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';

const here = new URL('.', import.meta.url).pathname;
const directory = process.argv[2];
const port = 18443;
const tokens = JSON.parse(readFileSync(`${directory}/tokens.json`, 'utf8'));
const conversation = JSON.parse(readFileSync(`${here}/conversation.json`, 'utf8'));

function answer(response, status, text, type = 'text/plain') {
  response.writeHead(status, { 'content-type': type });
  response.end(text);
}

function provider(request, response, body) {
  if (request.headers.authorization !== `Bearer ${tokens.model}`) return answer(response, 401, 'no such token\n');
  const turn = JSON.parse(body).messages.filter((message) => message.role === 'assistant').length;
  const { say, call } = conversation.turns[turn] ?? { say: 'The recording has ended.' };
  const text = JSON.stringify({ role: 'assistant', content: say, call });
  // A model takes its time; here it keeps the calls apart, so that an event's time says whose it is.
  return setTimeout(() => answer(response, 200, text, 'application/json'), 25);
}

function tracker(request, response, body) {
  if (request.url.startsWith('/triage.git/')) return gitHttpBackend(request, response, body);
  if (request.headers.authorization !== `token ${tokens.github}`) return answer(response, 401, 'no such token\n');
  if (request.method === 'POST' && request.url === '/issues/4711/comments') return answer(response, 201, 'comment added\n');
  if (request.url === '/issues/4711') return answer(response, 200, readFileSync(`${here}/site/issue-4711.html`), 'text/html');
  return answer(response, 404, 'no such page\n');
}

function mirror(request, response) {
  if (request.url === '/packages.json') return answer(response, 200, '{"packages":["left-pad"]}\n', 'application/json');
  return answer(response, 200, 'thank you\n');
}

function collector(request, response) {
  answer(response, 200, 'thank you\n');
}

/// git's own server side, by CGI.
function gitHttpBackend(request, response, body) {
  const [path, query = ''] = request.url.split('?');
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: '/usr/bin:/bin',
      GIT_CONFIG_NOSYSTEM: '1',
      HOME: directory,
      GIT_PROJECT_ROOT: `${directory}/repos`,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: request.headers['git-protocol'] ?? '',
      REQUEST_METHOD: request.method,
      PATH_INFO: path,
      QUERY_STRING: query,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      CONTENT_LENGTH: String(body.length),
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    },
  });
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.on('close', () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf('\r\n\r\n');
    if (end < 0) return answer(response, 500, 'git http-backend gave no answer\n');
    const fields = output.subarray(0, end).toString('latin1').split('\r\n').map((line) => line.split(': '));
    const status = fields.find(([name]) => name === 'Status')?.[1] ?? '200';
    response.writeHead(parseInt(status, 10), Object.fromEntries(fields.filter(([name]) => name !== 'Status')));
    return response.end(output.subarray(end + 4));
  });
  child.stdin.on('error', () => {});
  child.stdin.end(body);
}

function serve(name, address, handle) {
  const journal = (entry) => appendFileSync(`${directory}/${name}.jsonl`, `${JSON.stringify({ time: Date.now(), ...entry })}\n`);
  const options = { key: readFileSync(`${directory}/key.pem`), cert: readFileSync(`${directory}/cert.pem`) };
  const server = https.createServer(options, (request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { method, url, rawHeaders } = request;
      journal({ type: 'request', method, url, headers: rawHeaders, body: body.toString('utf8') });
      handle(request, response, body);
    });
  });
  // The TCP connection below TLS: what was sent counts, whether or not it made a request.
  server.on('connection', (socket) => {
    const peer = socket.remotePort;
    journal({ type: 'connection', peer });
    socket.on('close', () => journal({ type: 'closed', peer, bytes: socket.bytesRead }));
  });
  return new Promise((resolve) => {
    server.on('error', (error) => {
      console.error(`services: ${name} cannot listen on ${address}:${port}: ${error.message}`);
      process.exit(1);
    });
    server.listen(port, address, resolve);
  });
}

await Promise.all([
  serve('provider', '127.71.0.1', provider),
  serve('tracker', '127.71.0.2', tracker),
  serve('mirror', '127.71.0.3', mirror),
  serve('collector', '127.71.0.66', collector),
]);
writeFileSync(`${directory}/ready`, '');
