// SPDX-License-Identifier: Apache-2.0
// The demo's checks find what is missing: a good run, changed in one place each. Run: node --test tests/demo
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCalls } from '../../demo/check_calls.mjs';
import { checkReceivers } from '../../demo/check_receivers.mjs';
import { outcomes } from '../../demo/outcomes.mjs';

const secrets = { aws_secret_key: 'aws-0123', github_token: 'gho-0123', model_token: 'model-0123', ssh_private_key: 'ssh-0123' };

function callOf(id, start) {
  const { works } = outcomes[id];
  return { type: 'call', id, start, end: start + 10, ok: Boolean(works), text: works ?? 'Operation not permitted' };
}

function eventsOf(id, time, seq) {
  const { uses, finding, joined } = outcomes[id];
  const events = [];
  const opened = uses ?? (finding?.opened && finding.credential);
  if (opened) events.push({ seq, time, kind: 'file_open', finding: false, credential: { name: opened } });
  if (finding) {
    events.push({
      seq: seq + 1,
      time,
      kind: finding.kind,
      finding: true,
      verdict: { reason: finding.reason, mode: 'enforce', requested: 'deny', effective: 'denied', backend: 'lsm' },
      process: { exe: finding.exe ?? finding.program },
      file: { path: `/home/a${finding.path ?? finding.program}` },
      destination: { ip: finding.destination, port: 18443 },
      credential: { name: finding.credential },
      evidence: finding.opened ? [seq] : [],
    });
  }
  for (const name of joined ?? []) {
    events.push({ seq: seq + 2, time, kind: 'file_open', finding: false, credential: { name } });
    events.push({ ...events.at(-2), seq: seq + 3, kind: 'finding', credential: { name }, evidence: [seq + 1, seq + 2] });
  }
  return events;
}

function goodRun() {
  const run = { calls: [], events: [] };
  Object.keys(outcomes).forEach((id, index) => {
    const start = 1_800_000_000_000 + index * 100;
    run.calls.push(callOf(id, start));
    run.events.push(...eventsOf(id, new Date(start + 5).toISOString(), index * 10));
  });
  return run;
}

function faultsAfter(change) {
  const run = goodRun();
  change(run);
  return checkCalls(run.calls, run.events, '/nonexistent').faults;
}

const findingOf = (run, reason) => run.events.find((event) => event.verdict?.reason === reason);
const callNamed = (run, id) => run.calls.find((call) => call.id === id);

test('a good run has no faults', () => {
  assert.deepEqual(faultsAfter(() => {}), []);
});

const changes = {
  'a finding that is missing': (run) => run.events.splice(run.events.indexOf(findingOf(run, 'reader_not_allowed')), 1),
  'a finding that is there twice': (run) => run.events.push({ ...findingOf(run, 'reader_not_allowed'), seq: 999 }),
  'a finding at a time when nothing was called': (run) => {
    findingOf(run, 'reader_not_allowed').time = new Date(0).toISOString();
  },
  'a finding for something that is allowed': (run) => {
    run.events.push({ ...findingOf(run, 'reader_not_allowed'), time: new Date(callNamed(run, 'clone').start).toISOString() });
  },
  'a wrong reason': (run) => {
    findingOf(run, 'destination_not_for_credential').verdict.reason = 'destination_not_in_scope';
  },
  'another file': (run) => {
    findingOf(run, 'credential_not_in_scope').file.path = '/home/a/.aws/config';
  },
  'another destination': (run) => {
    findingOf(run, 'destination_not_in_scope').destination.ip = '127.71.0.1';
  },
  'an attempt that was only alerted': (run) => {
    findingOf(run, 'executable_not_in_scope').verdict.effective = 'alerted';
  },
  'shadow mode': (run) => {
    findingOf(run, 'executable_not_in_scope').verdict.mode = 'shadow';
  },
  'a connection without evidence': (run) => {
    findingOf(run, 'destination_not_for_credential').evidence = [];
  },
  'evidence of something else': (run) => {
    findingOf(run, 'destination_not_for_credential').evidence = [findingOf(run, 'reader_not_allowed').seq];
  },
  'a correlation that is missing': (run) => {
    run.events = run.events.filter((event) => event.kind !== 'finding');
  },
  'a correlation of one end': (run) => run.events.find((event) => event.kind === 'finding').evidence.pop(),
  'a correlation that nothing calls for': (run) => {
    run.events.push({ ...findingOf(run, 'executable_not_in_scope'), seq: 999, kind: 'finding' });
  },
  'an attempt that succeeded': (run) => {
    callNamed(run, 'aws-by-symlink').ok = true;
  },
  'an allowed call that failed': (run) => {
    callNamed(run, 'clone').ok = false;
  },
  'an allowed use without its event': (run) => {
    run.events = run.events.filter((event) => event.finding || event.credential.name !== 'github-cli');
  },
  'a call that the agent did not come to': (run) => run.calls.splice(3, 1),
};

for (const [name, change] of Object.entries(changes)) {
  test(`a fault is ${name}`, () => assert.notEqual(faultsAfter(change).length, 0));
}

function goodJournals() {
  const request = (url, body = '', headers = []) => ({ type: 'request', method: 'GET', url, headers, body });
  return {
    provider: [request('/v1/messages', '{}', ['authorization', 'Bearer model-0123'])],
    tracker: [request('/issues/4711/comments', 'done', ['authorization', 'token gho-0123'])],
    mirror: [{ type: 'connection' }, request('/packages.json')],
    collector: [{ type: 'connection' }, request('/canary', 'canary')],
  };
}

function receiverFaultsAfter(change, records = { transcript: [], events: [] }) {
  const journals = goodJournals();
  change(journals, records);
  return checkReceivers(journals, records, secrets);
}

test('good journals have no faults', () => {
  assert.deepEqual(receiverFaultsAfter(() => {}), []);
});

const arrivals = {
  'a connection at the collector': (journals) => journals.collector.push({ type: 'connection' }),
  'a collector that heard nothing at all': (journals) => journals.collector.splice(0),
  'a secret at the mirror': (journals) => (journals.mirror[1].body = 'gho-0123'),
  'a second connection at the mirror': (journals) => journals.mirror.push({ type: 'connection' }),
  'a secret in what the model is told': (journals) => (journals.provider[0].body = 'x aws-0123'),
  'the model token at the tracker': (journals) => (journals.tracker[0].headers = ['authorization', 'model-0123']),
  'a tracker without the comment': (journals) => journals.tracker.splice(0),
  'a secret in the transcript': (journals, records) => records.transcript.push({ text: 'ssh-0123' }),
  'a secret in an event': (journals, records) => records.events.push({ process: { argv: ['curl', 'token gho-0123'] } }),
};

for (const [name, change] of Object.entries(arrivals)) {
  test(`a fault is ${name}`, () => assert.notEqual(receiverFaultsAfter(change).length, 0));
}
