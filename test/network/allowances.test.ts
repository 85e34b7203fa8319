import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { identityOf } from '../../src/identity/key-pair.ts';
import { createNotary, createVerifier } from '../../src/identity/notary.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { encodeFrame } from '../../src/messages/frame.ts';
import { createNetwork, type Network } from '../../src/network/index.ts';
import { protocolNames } from '../../src/network/names.ts';
import type { ProtocolLimits, Underlay } from '../../src/network/underlay.ts';
import { createNode, stopAll, until } from './libp2p-nodes.ts';

const NETWORK = 'allowances';
const names = protocolNames(NETWORK);
const LIMITS: ProtocolLimits = { maxFrameBytes: 1 << 20, maxChannels: 64, maxChannelsPerPeer: 64 };
const OPEN = { timeoutMs: 2000 };
const CID = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';

/** A node over libp2p that has nothing to do with anybody, and peers that speak its protocols as they like. */
describe('allowances over libp2p', () => {
  let peers: Underlay[] = [];
  let network: Network | undefined;

  afterEach(async () => {
    await network?.stop();
    await stopAll(peers);
    peers = [];
  });

  async function victim(): Promise<{ readonly underlay: Underlay; readonly network: Network }> {
    const identity = identityOf(randomBytes(32));
    const { privateKeyRaw } = identity;
    const underlay = createNode({ privateKeyRaw, limits: { shunMs: 1000 } });
    const notary = createNotary(identity, NETWORK, systemClock);
    const verifier = createVerifier(NETWORK, systemClock);
    const needs = { underlay, notary, verifier, clock: systemClock, logger: silentLogger };
    const made = createNetwork({ network: NETWORK, ownJobs: false }, needs);
    made.attach({
      requester: {
        mayReport: () => false,
        servingList: () => Promise.reject(new Error('never asked')),
        mayRead: () => Promise.reject(new Error('never asked')),
      },
      content: { serve: async () => undefined, isPublic: async () => false },
    });
    network = made;
    await made.start();
    return { underlay, network: made };
  }

  async function peerOf(node: Underlay): Promise<Underlay> {
    const peer = createNode({ bootstrap: node.multiaddrs().slice(0, 1) });
    peers.push(peer);
    await peer.start();
    await until(() => peer.isConnected(node.self));
    return peer;
  }

  async function say(
    peer: Underlay,
    to: string,
    protocol: string,
    frame: Uint8Array,
  ): Promise<Uint8Array | undefined> {
    const channel = await peer.open(to, protocol, LIMITS, OPEN);
    try {
      await channel.send(frame);
      return await channel.receive();
    } finally {
      channel.abort();
    }
  }

  const question = encodeFrame({ kind: 'content-request', body: { cid: CID, contractId: CID } });

  it.each([
    ['what is malformed', names.negotiation, Uint8Array.of(0xff), 'MALFORMED'],
    ['serving lists from nobody', names.serving, new Uint8Array(200_000), 'NO_CONTRACT'],
    ['denied content', names.content, question, 'CONTENT_DENIED'],
  ])('let go of one that goes on with %s, and serve one beside it', async (_what, protocol, frame, code) => {
    const { underlay, network: node } = await victim();
    const hostile = await peerOf(underlay);
    const honest = await peerOf(underlay);
    const goesOn = async (): Promise<void> => {
      while (node.counters()['peer.restrained'] === undefined)
        await say(hostile, underlay.self, protocol, frame).catch(() => {});
    };
    const lanes = Array.from({ length: 8 }, () => goesOn());
    await until(() => node.counters()['peer.restrained'] !== undefined);
    expect(await say(honest, underlay.self, names.content, question)).toBeDefined();
    expect(node.counters()[`fault.${code}`]).toBeGreaterThan(64);
    expect(node.counters()[`fault.${code}`]).toBeLessThan(600);
    expect(node.heldBack().map(({ peer }) => peer)).toEqual([hostile.self]);
    await Promise.all(lanes);
    await expect(underlay.open(hostile.self, names.content, LIMITS, OPEN)).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    });
  });
});
