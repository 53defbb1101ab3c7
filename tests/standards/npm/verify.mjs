// Reads {jwt, keys, did, now} from standard input; answers with what each library reads, or null where it refuses.
// `keys` is the published JWK set, `did` the published DID document of the issuer.
import { createLocalJWKSet, jwtVerify } from "jose";
import { verifyJWT } from "did-jwt";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { jwt, keys, did, now } = JSON.parse(Buffer.concat(chunks).toString());

async function byJose() {
  // The header names the key by its DID URL, the set by the part after the hash.
  const named = { keys: keys.keys.map((key) => ({ ...key, kid: `${did.id}#${key.kid}` })) };
  const options = { issuer: did.id, typ: "JWT", currentDate: new Date(now * 1000) };
  return (await jwtVerify(jwt, createLocalJWKSet(named), options)).payload;
}

async function byDidJwt() {
  // did-jwt knows JsonWebKey under the name it had before the W3C recommendation.
  const verificationMethod = did.verificationMethod.map((method) => ({ ...method, type: "JsonWebKey2020" }));
  const resolver = {
    resolve: async (asked) => ({
      didDocument: asked === did.id ? { ...did, verificationMethod } : null,
      didResolutionMetadata: {},
      didDocumentMetadata: {},
    }),
  };
  return (await verifyJWT(jwt, { resolver, proofPurpose: "assertionMethod", policies: { now } })).payload;
}

const refused = () => null;
console.log(JSON.stringify({ jose: await byJose().catch(refused), "did-jwt": await byDidJwt().catch(refused) }));
