"""Open Badges 3.0 (1EdTech, final 27 May 2024) as a verifiable credential (W3C VC Data Model 2.0) secured as a JWT.

Where the two texts differ, and what we do:

- *Wrapping.* VC 1.1 put the credential under a `vc` claim. OB 3.0 §8.2.4.1 and vc-jose-cose ("JWT Format and
  Requirements") make the credential itself the payload; a `vc` claim is refused. OB asks for `iss`, `jti`, `nbf`, `sub`
  and `exp` beside it, equal to `issuer.id`, `id`, `validFrom`, `credentialSubject.id` and `validUntil` (§8.2.6.1).
- *`typ`.* OB 3.0 §8.2.3: if present it *must* be `JWT`. vc-jose-cose ("With JOSE"): it *should* be `vc+jwt`. A must
  outweighs a should: badges carry `JWT`. Status lists are no badges and carry `vc+jwt`. Verification accepts both.
- *`kid`.* OB 3.0 §8.2.3 wants a URI that yields the JWK; vc-jose-cose ("Key Discovery") recommends one that ends in the
  thumbprint. We do both, and never put the key itself (`jwk`) in the header: a key that travels with a letter proves
  nothing.
- *Algorithm.* OB 3.0 §8.2.3 names RS256 as the minimum and permits others. We sign with Ed25519; 1EdTech's own public
  validator (inspector-vc, July 2026) refuses every JWT that is not RS256 or ES256, so it cannot judge our signatures.
- *Subject.* `sub` is required, so the learner always has an `id`: a random `urn:uuid:` for each credential that says
  nothing about the person. Who it is stands in `identifier`: salted SHA-256 (`hashed: true`), or the plain name.
- *Languages.* An Achievement has one `inLanguage`, and its text is one string (the schema has no language maps). Other
  editions are Achievements of their own, named under `related` with their language; we add their `name` there.
- *Status.* OB's schema allows one `credentialStatus`; VC allows several. We write one entry as an object, several as a
  list. The entry is a `BitstringStatusListEntry` (W3C Bitstring Status List 1.0).
- *Evidence.* `evidence` is for people. The bytes of the transcript are bound by `relatedResource` with `digestSRI`
  (VC Data Model 2.0 §5.3).

JSON-LD contexts are named by their URL and never fetched: OB 3.0 §A (Serialization) lets a reader treat the document
as plain JSON as long as the contexts are the expected ones in the expected order.
"""
