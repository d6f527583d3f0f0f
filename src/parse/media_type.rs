//! The media type of a policy file (RFC 8461 §3.2; `media-type` of RFC 9110 §8.3.1).
