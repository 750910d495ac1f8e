// SPDX-License-Identifier: Apache-2.0
// Client of a Model Context Protocol server over stdio: JSON-RPC 2.0, one message a line.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const protocolVersion = '2025-06-18';

export class McpClient {
  constructor({ command, args }, timeoutMs) {
    this.timeoutMs = timeoutMs;
    this.pending = new Map();
    this.nextId = 1;
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    // A server that died is the next call's failure, not the agent's end.
    this.child.stdin.on('error', () => {});
    this.child.on('error', (error) => this.#fail(error.message));
    this.child.on('close', (status, signal) => this.#fail(`the MCP server has ended (${signal ?? status})`));
    createInterface({ input: this.child.stdout }).on('line', (line) => this.#receive(JSON.parse(line)));
  }

  async initialize() {
    const capabilities = {};
    const clientInfo = { name: 'ambit-demo-agent', version: '1' };
    const { serverInfo } = await this.#request('initialize', { protocolVersion, capabilities, clientInfo });
    this.name = `${serverInfo.name} ${serverInfo.version}`;
    this.#send({ method: 'notifications/initialized' });
  }

  async listTools() {
    return (await this.#request('tools/list', {})).tools;
  }

  async callTool(name, args) {
    try {
      const result = await this.#request('tools/call', { name, arguments: args });
      return { ok: !result.isError, text: result.content.map((part) => part.text ?? '').join('\n') };
    } catch (error) {
      return { ok: false, text: error.message };
    }
  }

  close() {
    this.child.stdin.end();
  }

  #send(message) {
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  #request(method, params) {
    if (this.ended) return Promise.reject(new Error(this.ended));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id, { error: { message: `${method}: no answer in time` } }), this.timeoutMs);
      this.pending.set(id, { resolve, reject, timer });
      this.#send({ id, method, params });
    });
  }

  #receive(message) {
    // Requests and notifications of the server are not for this client.
    if (message.method === undefined) this.#settle(message.id, message);
  }

  #settle(id, { result, error }) {
    const request = this.pending.get(id);
    if (!request) return;
    this.pending.delete(id);
    clearTimeout(request.timer);
    if (error) request.reject(new Error(error.message));
    else request.resolve(result);
  }

  #fail(reason) {
    this.ended = reason;
    for (const id of [...this.pending.keys()]) this.#settle(id, { error: { message: reason } });
  }
}
