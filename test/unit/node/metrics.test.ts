import { describe, expect, it } from 'vitest';
import { createMetrics, type MetricsNeeds } from '../../../src/node/metrics.ts';

const NONE = { delayed: 0, pending: 0, ready: 0, 'in-flight': 0, 'held-back': 0 };

const needs: MetricsNeeds = {
  peers: () => 3,
  heldBack: () => 8,
  connections: () => ({ inbound: 2, outbound: 1, refused: 7 }),
  provider: {
    leases: () => [],
    describe: () => ({ traits: { engines: { wasm: '1.0.0', python: '3.12.0' } } }) as never,
    tasks: async () => [
      { engine: 'wasm', cpuMs: 1500, memoryBytes: 7 },
      { engine: 'wasm', cpuMs: 500, memoryBytes: 5 },
    ],
  },
  census: () => ({
    jobs: { Running: 4, Completed: 5 },
    requester: { executions: { completed: 5, lost: 1 }, contracts: { ACCEPTED: 6 } },
    provider: { executions: { timeout: 2 }, contracts: { TERMINATED: 2 } },
  }),
  scheduling: () => ({
    broker: {
      waitingDequeuers: 6,
      byType: { batch: { ...NONE, pending: 3 }, service: NONE, ops: NONE, daemon: NONE },
      counters: { acked: 11, nacked: 2, timedOut: 1, deadLettered: 0, superseded: 4 },
    },
    worker: { processed: 10, failures: 2, brokerErrors: 1 },
  }),
  content: { room: () => ({ freeBytes: 60, quotaBytes: 100 }) },
  counters: () => ({ 'gossip.surplus': 9 }),
};

describe('the metrics of a node', () => {
  it('answer what an operator asks first', async () => {
    const lines = (await createMetrics(needs).metrics()).split('\n');
    for (const line of [
      'bidmesh_jobs{state="Running"} 4',
      'bidmesh_jobs{state="Completed"} 5',
      'bidmesh_jobs{state="Failed"} 0',
      'bidmesh_executions_ended_total{role="requester",reason="completed"} 5',
      'bidmesh_executions_ended_total{role="requester",reason="lost"} 1',
      'bidmesh_executions_ended_total{role="provider",reason="timeout"} 2',
      'bidmesh_contracts_total{role="requester",state="ACCEPTED"} 6',
      'bidmesh_contracts_total{role="provider",state="TERMINATED"} 2',
      'bidmesh_peers 3',
      'bidmesh_peers_held_back 8',
      'bidmesh_connections{direction="inbound"} 2',
      'bidmesh_connections{direction="outbound"} 1',
      'bidmesh_connections_refused_total 7',
      'bidmesh_leases{state="held"} 0',
      'bidmesh_tasks{engine="wasm"} 2',
      'bidmesh_tasks{engine="python"} 0',
      'bidmesh_tasks_memory_bytes{engine="wasm"} 12',
      'bidmesh_tasks_cpu_seconds{engine="wasm"} 2',
      'bidmesh_evaluations{type="batch",state="pending"} 3',
      'bidmesh_evaluations{type="batch",state="ready"} 0',
      'bidmesh_evaluation_ends_total{end="acked"} 11',
      'bidmesh_evaluation_ends_total{end="superseded"} 4',
      'bidmesh_evaluation_ends_total{end="dead-lettered"} 0',
      'bidmesh_scheduler_idle 6',
      'bidmesh_scheduler_runs_total{result="planned"} 10',
      'bidmesh_scheduler_runs_total{result="took-nothing"} 1',
      'bidmesh_content_bytes{kind="used"} 40',
      'bidmesh_content_bytes{kind="quota"} 100',
      'bidmesh_network_events_total{event="gossip.surplus"} 9',
    ]) {
      expect(lines).toContain(line);
    }
  });

  it('have the process and its event loop', async () => {
    const text = await createMetrics(needs).metrics();
    for (const name of [
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_heap_size_used_bytes',
    ]) {
      expect(text).toMatch(new RegExp(`^${name}(\\{.*\\})? [\\d.e+-]+$`, 'm'));
    }
  });

  it('are read again each time', async () => {
    let peers = 1;
    const metrics = createMetrics({ ...needs, peers: () => peers });
    expect(await metrics.metrics()).toContain('bidmesh_peers 1\n');
    peers = 2;
    expect(await metrics.metrics()).toContain('bidmesh_peers 2\n');
  });
});
