//! `aws-chunked` bodies, however they are cut: in chunks by the client, in reads by the network.

#![allow(clippy::unwrap_used, reason = "a test that meets what it did not expect must fail")]

mod common;

use bytes::Bytes;
use common::{credentials, known, request, target};
use proptest::prelude::*;
use s3_signature::{
    CHUNK_LEN_MAX, ChunkDecoder, Claim, Denied, Payload, Policy, TRAILER_LEN_MAX, Trailers, classify, sign, verify,
};

const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const TRAILER: &str = "x-amz-checksum-crc32";

/// A decoder out of a verified head, and the chain that a client would sign with.
fn decoder(payload: &str, decoded_len: usize) -> (ChunkDecoder, Option<s3_signature::ChunkSigner>) {
    let known = known();
    let mut request = request("PUT", "/b/k");
    request.set("x-amz-decoded-content-length", &decoded_len.to_string());
    if payload.ends_with("TRAILER") {
        request.set("x-amz-trailer", TRAILER);
    }
    let signed = {
        let lines = request.lines();
        sign::v4_header(&request.head(&lines), &credentials(&known), &target("s3"), payload).unwrap()
    };
    signed.headers.iter().for_each(|(name, value)| request.set(name, value));
    let lines = request.lines();
    let Ok(Claim::Signed(claim)) = classify(request.head(&lines)) else { panic!("not signed") };
    match verify(&claim, Some(known.secret()), known.now, &Policy::s3()).unwrap().payload {
        Payload::Chunked(decoder) | Payload::UnsignedTrailer(decoder) => (*decoder, signed.chunks),
        Payload::Unsigned | Payload::Sha256(_) => panic!("{payload} is not framed"),
    }
}

/// What a client sends.
fn frame(mut signer: Option<s3_signature::ChunkSigner>, data: &[u8], chunk_len: usize, trailer: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in data.chunks(chunk_len).chain([&b""[..]]) {
        let signature = signer.as_mut().map(|signer| format!(";chunk-signature={}", signer.sign_chunk(chunk)));
        out.extend_from_slice(format!("{:x}{}\r\n", chunk.len(), signature.unwrap_or_default()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(if chunk.is_empty() { b"" } else { b"\r\n" });
    }
    if trailer {
        out.extend_from_slice(format!("{TRAILER}:AAAAAA==\r\n").as_bytes());
        if let Some(signer) = &mut signer {
            let signature = signer.sign_trailer(format!("{TRAILER}:AAAAAA==\n").as_bytes());
            out.extend_from_slice(format!("x-amz-trailer-signature:{signature}\r\n").as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn decode(mut decoder: ChunkDecoder, wire: &[u8], read_len: usize) -> Result<(Vec<u8>, Trailers), Denied> {
    let mut data = Vec::new();
    for read in wire.chunks(read_len) {
        for piece in decoder.push(Bytes::copy_from_slice(read))? {
            data.extend_from_slice(&piece);
        }
    }
    Ok((data, decoder.finish()?))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decodes_what_was_framed(
        data in proptest::collection::vec(any::<u8>(), 0..20_000),
        chunk_len in 1_usize..9000,
        read_len in 1_usize..9000,
        payload in prop_oneof![Just(SIGNED), Just(SIGNED_TRAILER), Just(UNSIGNED_TRAILER)],
    ) {
        let chunk_len = chunk_len.max(data.len() / 50);
        let (decoder, signer) = decoder(payload, data.len());
        let trailer = payload.ends_with("TRAILER");
        let wire = frame(signer, &data, chunk_len, trailer);
        let (decoded, trailers) = decode(decoder, &wire, read_len).unwrap();
        prop_assert_eq!(decoded, data);
        prop_assert_eq!(trailers.len(), usize::from(trailer));
    }

    #[test]
    fn never_releases_what_is_not_proven(
        data in proptest::collection::vec(any::<u8>(), 1..3000),
        chunk_len in 1_usize..1000,
        read_len in 1_usize..3000,
        at in any::<prop::sample::Index>(),
        flip in 1_u8..=255,
        trailer in any::<bool>(),
    ) {
        let chunk_len = chunk_len.max(data.len() / 20);
        let (mut decoder, signer) = decoder(if trailer { SIGNED_TRAILER } else { SIGNED }, data.len());
        let mut wire = frame(signer, &data, chunk_len, trailer);
        let at = at.index(wire.len());
        wire[at] ^= flip;
        let mut released = Vec::new();
        let mut refused = false;
        for read in wire.chunks(read_len) {
            match decoder.push(Bytes::copy_from_slice(read)) {
                Ok(pieces) => pieces.iter().for_each(|piece| released.extend_from_slice(piece)),
                Err(_) => refused = true,
            }
        }
        prop_assert!(data.starts_with(&released));
        // Letter case of a length or a trailer's name, and a line end of one byte, mean nothing.
        if !refused && decoder.finish().is_ok() {
            prop_assert_eq!(released, data);
        }
    }

    #[test]
    fn any_bytes_end_in_an_answer(wire in proptest::collection::vec(any::<u8>(), 0..500), signed in any::<bool>()) {
        let (decoder, _) = decoder(if signed { SIGNED_TRAILER } else { UNSIGNED_TRAILER }, 100);
        prop_assert!(decode(decoder, &wire, 7).is_err());
    }
}

#[test]
fn a_body_cut_short_is_incomplete() {
    for payload in [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER] {
        let (_, signer) = decoder(payload, 17);
        let wire = frame(signer, b"first chunk\ntail\n", 12, payload.ends_with("TRAILER"));
        for len in 0..wire.len() {
            let denied = decode(decoder(payload, 17).0, &wire[..len], 64).unwrap_err();
            assert_eq!((denied.status, denied.code), (400, "IncompleteBody"), "{payload} {len}");
        }
        let longer = [&wire[..], b"x"].concat();
        assert!(decode(decoder(payload, 17).0, &longer, 64).is_err());
    }
}

#[test]
fn the_announced_length_holds() {
    for payload in [SIGNED, UNSIGNED_TRAILER] {
        for announced in [0, 16, 18] {
            let (decoder, signer) = decoder(payload, announced);
            let wire = frame(signer, b"first chunk\ntail\n", 12, payload == UNSIGNED_TRAILER);
            assert_eq!(decode(decoder, &wire, 64).unwrap_err().code, "IncompleteBody", "{payload} {announced}");
        }
    }
}

#[test]
fn framing_that_is_none() {
    let zeros = "0".repeat(64);
    let too_large = format!("{:x};chunk-signature={zeros}\r\n", CHUNK_LEN_MAX + 1);
    let table = [
        (SIGNED, "c\r\n", "InvalidChunkSizeError"),
        (SIGNED, ";chunk-signature=0\r\n", "InvalidChunkSizeError"),
        (SIGNED, "-1;chunk-signature=0\r\n", "InvalidChunkSizeError"),
        (SIGNED, "+1;chunk-signature=0\r\n", "InvalidChunkSizeError"),
        (SIGNED, "00000000000000001;chunk-signature=0\r\n", "InvalidChunkSizeError"),
        (SIGNED, &too_large, "InvalidChunkSizeError"),
        (SIGNED, &zeros.repeat(3), "InvalidChunkSizeError"),
        (SIGNED, "0;chunk-signature=0\r\n", "SignatureDoesNotMatch"),
        (SIGNED, "ffffffffffffffff;chunk-signature=0\r\n", "InvalidChunkSizeError"),
        (UNSIGNED_TRAILER, "1;chunk-signature=0\r\n", "InvalidChunkSizeError"),
        (UNSIGNED_TRAILER, "1\r\nab", "IncompleteBody"),
        (UNSIGNED_TRAILER, "1\r\nab\r\n", "InvalidChunkSizeError"),
        (UNSIGNED_TRAILER, "ffffffffffffffff\r\n", "IncompleteBody"),
        (UNSIGNED_TRAILER, "0\r\nx-amz-meta-a:1\r\n", "MalformedTrailerError"),
        (UNSIGNED_TRAILER, "0\r\nno colon\r\n", "MalformedTrailerError"),
        (UNSIGNED_TRAILER, "0\r\nx-amz-checksum-crc32:1\r\nx-amz-checksum-crc32:1\r\n", "MalformedTrailerError"),
    ];
    for (payload, wire, code) in table {
        assert_eq!(decode(decoder(payload, 1 << 40).0, wire.as_bytes(), 1000).unwrap_err().code, code, "{wire:?}");
    }
    let long = format!("0\r\n{TRAILER}:{}\r\n", "a".repeat(TRAILER_LEN_MAX));
    assert_eq!(decode(decoder(UNSIGNED_TRAILER, 0).0, long.as_bytes(), 100).unwrap_err().code, "MalformedTrailerError");
    let missing = decode(decoder(UNSIGNED_TRAILER, 0).0, b"0\r\n\r\n", 100).unwrap_err();
    assert_eq!(missing.code, "MalformedTrailerError");
}

/// Whole reads are handed on as they are, without a copy.
#[test]
fn large_pieces_are_not_copied() {
    let (mut decoder, signer) = decoder(SIGNED, 100_000);
    let wire = Bytes::from(frame(signer, &vec![7; 100_000], 100_000, false));
    let pieces = decoder.push(wire.clone()).unwrap();
    assert_eq!(pieces.len(), 1);
    let span = wire.as_ptr_range();
    assert!(span.contains(&pieces[0].as_ptr()));
}
