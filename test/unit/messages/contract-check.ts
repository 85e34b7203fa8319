import type { SignedContract } from '../../../src/domain/market/contract.ts';
import type { Verifier } from '../../../src/messages/message.ts';
import { openSignedContract, signedContractToWire } from '../../../src/messages/signed-contract.ts';

/** Whether a node that is sent this contract takes it. */
export function verifySignedContract(verifier: Verifier, contract: SignedContract): boolean {
  return openSignedContract(verifier, signedContractToWire(contract)).ok;
}
