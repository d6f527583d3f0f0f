//! What the crate says to the certificate of an MX host.

use mta_sts::{
    pki_types::CertificateDer,
    verify::{MxCertificate, VerifyOptions},
};
use serde_json::json;
use time::UtcDateTime;

use crate::{answer::Answer, question::Question};

pub(crate) fn certificate(question: &Question) -> Answer {
    let chain = certificates(question, "chain")?;
    let roots = certificates(question, "roots")?;
    let anchors: Result<Vec<_>, _> = roots.iter().map(webpki::anchor_from_trusted_cert).collect();
    let anchors = anchors?;
    #[expect(clippy::cast_possible_truncation, reason = "times are whole seconds")]
    let at = UtcDateTime::from_unix_timestamp(question.number("at")? as i64)?;
    let options = VerifyOptions::new(&anchors, webpki::ALL_VERIFICATION_ALGS);
    let result = match MxCertificate::new(&chain).verify(question.text("host")?, at, &options) {
        Ok(()) => "valid".to_owned(),
        Err(error) => error.result_type().as_str().to_owned(),
    };
    Ok(json!({ "result": result }))
}

fn certificates(
    question: &Question,
    name: &str,
) -> Result<Vec<CertificateDer<'static>>, Box<dyn core::error::Error>> {
    let certificates = question.base64_strings(name)?;
    Ok(certificates.into_iter().map(CertificateDer::from).collect())
}
