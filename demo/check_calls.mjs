// SPDX-License-Identifier: Apache-2.0
// Each call of the agent against its line in outcomes.mjs and the events of its time.
import { existsSync } from 'node:fs';
import { outcomes } from './outcomes.mjs';

/// Clocks of the agent (ms) and of the events (ns since boot) are not the same one.
const clockToleranceMs = 10;
const stopped = ['denied', 'killed'];

function eventsOf(call, events) {
  return events.filter((event) => {
    const time = Date.parse(event.time);
    return time >= call.start - clockToleranceMs && time <= call.end + clockToleranceMs;
  });
}

const endsWith = (value, end) => typeof value === 'string' && value.endsWith(end);

/// What each word of an expected finding asks of the event.
const asked = {
  kind: (event, value) => event.kind === value,
  reason: (event, value) => event.verdict?.reason === value,
  credential: (event, value) => event.credential?.name === value || event.credential?.held?.includes(value),
  path: (event, value) => endsWith(event.file?.path, value),
  destination: (event, value) => event.destination?.ip === value && event.destination?.port === 18443,
  exe: (event, value) => endsWith(event.process?.exe, value),
  program: (event, value) => endsWith(event.process?.exe, value) || endsWith(event.file?.path, value),
};

function checkFinding(event, expected, events) {
  const faults = Object.keys(asked)
    .filter((word) => expected[word] !== undefined && !asked[word](event, expected[word]))
    .map((word) => `its finding's ${word} is not ${expected[word]}`);
  const { mode, requested, effective } = event.verdict ?? {};
  if (mode !== 'enforce' || requested !== 'deny') faults.push(`its finding asked for ${requested} in mode ${mode}, not deny in enforce`);
  if (!stopped.includes(effective)) faults.push(`it was ${effective}, not stopped`);
  if (expected.opened && !provesOpening(event, expected.credential, events)) {
    faults.push(`its finding has no evidence of where ${expected.credential} was opened`);
  }
  return faults;
}

/// Whether the permitted opening of a credential is among the evidence of an event.
function provesOpening(event, credential, events) {
  const evidence = events.filter((other) => event.evidence?.includes(other.seq));
  return evidence.some((other) => other.kind === 'file_open' && !other.finding && other.credential?.name === credential);
}

/// Findings that a correlation made of the attempt and what went before.
function checkJoined(joined, own, expected, events) {
  const names = joined.map((event) => event.credential?.name);
  const faults = names.filter((name) => !expected.includes(name)).map((name) => `an unexpected correlation with ${name}`);
  for (const name of expected) {
    const both = joined.filter((event) => event.credential?.name === name
      && event.evidence?.includes(own.seq) && provesOpening(event, name, events));
    if (both.length !== 1) faults.push(`${both.length} correlations with the opening of ${name}, not 1`);
  }
  return faults;
}

function checkStopped(call, outcome, found, events, home) {
  const faults = [];
  const own = found.filter((event) => event.kind !== 'finding');
  const joined = found.filter((event) => event.kind === 'finding');
  if (own.length !== 1) faults.push(`${own.length} findings, not 1`);
  else faults.push(...checkFinding(own[0], outcome.finding, events), ...checkJoined(joined, own[0], outcome.joined ?? [], events));
  if (call.ok) faults.push('it was not stopped');
  if (outcome.absent && existsSync(`${home}/work/${outcome.absent}`)) faults.push(`it ran: ${outcome.absent} is there`);
  return faults;
}

function checkWorks(call, outcome, found, during) {
  const faults = found.map((event) => `an unexpected finding: ${event.verdict?.reason}`);
  if (!call.ok || !call.text.includes(outcome.works)) faults.push(`it did not work: ${call.text.slice(-160).trim()}`);
  const use = during.find((event) => event.kind === 'file_open' && !event.finding && event.credential?.name === outcome.uses);
  if (outcome.uses && !use) faults.push(`no event of its use of ${outcome.uses}`);
  return faults;
}

function told(outcome, found, bad) {
  if (outcome.works) return { verdict: bad ? 'FAILED' : 'worked', what: '' };
  const own = found.find((event) => event.kind !== 'finding');
  if (bad) return { verdict: 'FAILED', what: own?.verdict?.effective ?? 'no finding' };
  const { reason, effective, backend } = own.verdict;
  const name = outcome.finding.credential ? `, ${outcome.finding.credential}` : '';
  return { verdict: effective, what: `${reason}${name} (${backend})` };
}

export function checkCalls(calls, events, home) {
  const faults = [];
  const claimed = new Set();
  const results = [];
  for (const [id, outcome] of Object.entries(outcomes)) {
    const call = calls.find((one) => one.id === id);
    if (!call) {
      faults.push(`${outcome.title}: the agent did not come to it`);
      continue;
    }
    const during = eventsOf(call, events);
    const found = during.filter((event) => event.finding);
    found.forEach((event) => claimed.add(event));
    const own = outcome.works ? checkWorks(call, outcome, found, during) : checkStopped(call, outcome, found, events, home);
    faults.push(...own.map((fault) => `${outcome.title}: ${fault}`));
    results.push({ call, bad: own.length > 0, ...told(outcome, found, own.length > 0) });
  }
  for (const event of events.filter((one) => one.finding && !claimed.has(one))) {
    faults.push(`a finding outside every call: seq ${event.seq}, ${event.verdict?.reason}`);
  }
  return { faults, calls: results };
}
