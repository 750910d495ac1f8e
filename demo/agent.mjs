// SPDX-License-Identifier: Apache-2.0
// A small tool-calling agent: asks its model over TLS, runs what the model calls for, tells it the result.
// Its tools are those of an MCP server, which it starts, and a shell. It knows nothing of Ambit.
// usage: agent.mjs CONFIG.json
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import https from 'node:https';
import { McpClient } from './mcp_client.mjs';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const shellTool = {
  name: 'shell',
  description: 'Run a command with sh',
  inputSchema: { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] },
};

function record(entry) {
  appendFileSync(config.transcript, `${JSON.stringify(entry)}\n`);
}

function runShell({ command }) {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', command], { cwd: config.workspace, stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), config.timeout_ms);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
    child.on('error', (error) => resolve({ ok: false, text: error.message }));
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ ok: status === 0, text: `${text}[${signal ?? `exit ${status}`}]` });
    });
  });
}

const connection = new https.Agent({ keepAlive: true, maxSockets: 1 });

function askModel(token, messages, tools) {
  const body = JSON.stringify({ messages, tools });
  const options = {
    method: 'POST',
    agent: connection,
    ca: readFileSync(config.ca),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  };
  return new Promise((resolve, reject) => {
    const request = https.request(config.provider, options, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new Error(`the provider answered ${response.statusCode}: ${text}`));
        else resolve(JSON.parse(text));
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function perform(call, server) {
  const start = Date.now();
  const result = await (call.tool === 'shell' ? runShell(call.arguments) : server.callTool(call.tool, call.arguments));
  record({ type: 'call', id: call.id, tool: call.tool, arguments: call.arguments, start, end: Date.now(), ...result });
  return result;
}

async function main() {
  const token = JSON.parse(readFileSync(config.token_file, 'utf8')).access_token;
  const server = new McpClient(config.mcp_server, config.timeout_ms);
  await server.initialize();
  const tools = [...(await server.listTools()), shellTool];
  record({ type: 'tools', server: server.name, names: tools.map((tool) => tool.name) });

  const messages = [{ role: 'user', content: config.task }];
  for (let turn = 0; turn < config.max_turns; turn += 1) {
    const answer = await askModel(token, messages, tools);
    messages.push(answer);
    record({ type: 'model', say: answer.content });
    if (!answer.call) break;
    const result = await perform(answer.call, server);
    messages.push({ role: 'tool', call: answer.call.id, content: result.text });
  }
  record({ type: 'end' });
  server.close();
  connection.destroy();
}

main().catch((error) => {
  console.error(`agent: ${error.message}`);
  process.exit(1);
});
