// simdjson is C++: CSimdJSON includes its header; this module only brings the flags of pkg-config.
