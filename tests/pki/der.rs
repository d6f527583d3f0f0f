//! Certificates that no library makes: good ones, put together anew.

use mta_sts::pki_types::CertificateDer;

/// An element of DER, tag and length included.
type Tlv = Vec<u8>;

const SEQUENCE: u8 = 0x30;

pub(crate) fn element(tag: u8, contents: &[u8]) -> Tlv {
    let len = u16::try_from(contents.len()).unwrap().to_be_bytes();
    match len {
        [0, short @ ..0x80] => [&[tag, short][..], contents].concat(),
        [0, long] => [&[tag, 0x81, long][..], contents].concat(),
        _ => [&[tag, 0x82][..], &len, contents].concat(),
    }
}

/// The elements in the contents of one.
fn elements(whole: &[u8]) -> Vec<Tlv> {
    let mut rest = &whole[header(whole)..];
    let mut elements = Vec::new();
    while !rest.is_empty() {
        let (first, others) = rest.split_at(header(rest) + len(rest));
        elements.push(first.to_vec());
        rest = others;
    }
    elements
}

fn header(element: &[u8]) -> usize {
    2 + usize::from(element[1].saturating_sub(0x80))
}

fn len(element: &[u8]) -> usize {
    let long = &element[2..header(element)];
    let short = usize::from(element[1]);
    if long.is_empty() {
        short
    } else {
        long.iter().fold(0, |len, &byte| len * 256 + usize::from(byte))
    }
}

/// The same certificate with other fields, or another algorithm, and with a signature that
/// is none of it.
fn with_fields(
    certificate: &[u8],
    change: impl FnOnce(&mut Vec<Tlv>, &mut Tlv),
) -> CertificateDer<'static> {
    let mut parts = elements(certificate);
    let mut fields = elements(&parts[0]);
    change(&mut fields, &mut parts[1]);
    parts[0] = element(SEQUENCE, &fields.concat());
    element(SEQUENCE, &parts.concat()).into()
}

/// The same key and names in a certificate of X.509 version 1, as `openssl x509 -req` makes it.
pub(crate) fn version_1(certificate: &[u8]) -> CertificateDer<'static> {
    with_fields(certificate, |fields, _| {
        fields.remove(0);
        fields.retain(|field| field[0] != 0xA3);
    })
}

/// The same certificate, as if it was signed with `sha256WithRSAEncryption`.
pub(crate) fn signed_by_rsa(certificate: &[u8]) -> CertificateDer<'static> {
    let algorithm = [0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11, 0x05, 0];
    let algorithm = element(SEQUENCE, &algorithm);
    with_fields(certificate, |fields, outer| {
        fields[2].clone_from(&algorithm);
        *outer = algorithm;
    })
}
