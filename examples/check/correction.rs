//! What to do about a fault of a host.

use mta_sts::{Domain, fetch::FetchError};

/// Returns what to do if no policy could be fetched.
pub(crate) fn of_fetch(domain: &Domain, error: &FetchError) -> Option<String> {
    let (url, host) = (domain.policy_url(), domain.policy_host());
    Some(match error {
        FetchError::Certificate(error) => {
            return of_certificate(error.kind().reason_code(), &host);
        }
        FetchError::Refused(_) => format!("publish a public address of {host}"),
        FetchError::Connection(_) => format!("run a web server at port 443 of {host}"),
        FetchError::Tls { .. } => {
            format!("offer TLS 1.2 or 1.3 at port 443, with a certificate for {host}")
        }
        FetchError::Deadline => format!("serve {url} within a minute (RFC 8461 §3.3)"),
        FetchError::Redirect { .. } => {
            format!("serve the policy at {url} itself: senders follow no redirects")
        }
        FetchError::Status(404 | 410) => format!("put the policy at {url}"),
        FetchError::Status(_) | FetchError::Unavailable { .. } => {
            format!("serve {url} to everybody, with HTTP status 200")
        }
        FetchError::MediaType { .. } => "serve it with `Content-Type: text/plain`".to_owned(),
        FetchError::ContentCoding { .. } => "serve it without compression".to_owned(),
        _ => return None,
    })
}

/// Returns what to do about a certificate, by the code of its fault.
pub(crate) fn of_certificate(code: &str, host: &str) -> Option<String> {
    Some(match code {
        "certificate-expired" => "renew the certificate, and reload the server".to_owned(),
        "certificate-not-yet-valid" => {
            "set the clock, or install the certificate once it is valid".to_owned()
        }
        "certificate-host-mismatch" => format!("install a certificate with the DNS name {host}"),
        "certificate-self-signed" | "certificate-unknown-issuer" => {
            format!("install a certificate for {host} of a public certificate authority")
        }
        "certificate-chain-incomplete"
        | "certificate-authority-expired"
        | "certificate-authority-invalid"
        | "certificate-authority-key-usage"
        | "certificate-authority-not-yet-valid" => {
            "install the full chain that the certificate authority gives now (fullchain.pem)"
                .to_owned()
        }
        "certificate-key-mismatch" => {
            "install the private key that belongs to the certificate".to_owned()
        }
        "certificate-unsupported-key" | "certificate-unsupported-signature" => return None,
        _ => format!("install a new certificate for {host} of a public certificate authority"),
    })
}
