/** An Ed25519 peer id in base58btc; whether it holds a key is for the signature check to say. */
export const PEER_ID = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/;
