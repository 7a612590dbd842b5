--- Two key pairs of Ed25519, made for specs alone: the public half, and a token of "ann" that the
--- private half, which nobody has kept, has signed.

return {
  {
    jwk = {
      kty = "OKP",
      crv = "Ed25519",
      alg = "EdDSA",
      kid = "spring",
      x = "XfVNcOCwd0M_leVtUXzMmj_rtj4Doz0IXYHTWg55VEA",
    },
    token = "eyJhbGciOiJFZERTQSIsImtpZCI6InNwcmluZyJ9"
      .. ".eyJzdWIiOiJhbm4ifQ"
      .. ".0IcCzCfpcH-BFKow_Cx127u13a7pAHNKpAcLkzpGS0HthIDog-oMPIX5jlCL0RgH0u8c64BmWwSFKNrW5nyVDA",
  },
  {
    jwk = {
      kty = "OKP",
      crv = "Ed25519",
      alg = "EdDSA",
      kid = "autumn",
      x = "DPA_VsUuFp12F4VV3dZDZFAKvcScwQAxpPrHN02-kwM",
    },
    token = "eyJhbGciOiJFZERTQSIsImtpZCI6ImF1dHVtbiJ9"
      .. ".eyJzdWIiOiJhbm4ifQ"
      .. ".8N05RarGl4KOUb2Ph_DjVMQQT5RdCR4_2LWQ9_bgP97V4sFZNaKuxhecy8WhfbIPji6-w-QlRZG5I3soAACRBA",
  },
}
