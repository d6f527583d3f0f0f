//! The kinds of findings.

use core::fmt;

use super::Severity;

/// A kind of finding: its stable code, severity, RFC clause and a one-line explanation.
///
/// [`Code::ALL`] lists every code that a [`Diagnostic`](super::Diagnostic) can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Code {
    #[cfg_attr(feature = "serde", serde(rename = "code"))]
    name: &'static str,
    severity: Severity,
    clause: &'static str,
    explanation: &'static str,
}

impl Code {
    /// Returns the stable code, such as `policy-mode`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.name
    }

    /// Returns the highest severity that a finding of this kind has.
    ///
    /// `mx-not-covered` is only a warning under `mode: testing`; `policy-field-misspelt` is only a
    /// warning if the policy is valid without the field.
    #[must_use]
    pub const fn severity(self) -> Severity {
        self.severity
    }

    /// Returns the RFC clause, such as `RFC 8461 §3.2`.
    #[must_use]
    pub const fn clause(self) -> &'static str {
        self.clause
    }

    /// Returns a one-line explanation.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        self.explanation
    }

    /// Returns the code with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.name == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

macro_rules! codes {
    ($($name:ident $severity:ident $code:literal $clause:literal $explanation:literal)*) => {
        impl Code {
            $(pub(super) const $name: Self = Self {
                name: $code,
                severity: Severity::$severity,
                clause: $clause,
                explanation: $explanation,
            };)*

            /// All codes, in the order of what they are about: records, policies, MX hosts, media
            /// types.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

codes! {
    RECORD_VERSION Error "record-version" "RFC 8461 §3.1" "the record does not begin with `v=STSv1`"
    RECORD_DELIMITER Error "record-delimiter" "RFC 8461 §3.1" "no `;` stands between two fields"
    RECORD_TRAILING_SPACE Error "record-trailing-space" "RFC 8461 §3.1" "the record ends in white space without a `;` before it"
    RECORD_EMPTY_FIELD Error "record-empty-field" "RFC 8461 §3.1" "two `;` stand next to each other"
    RECORD_FIELD_NAME Error "record-field-name" "RFC 8461 §3.1" "a field name has a character that no name may have"
    RECORD_NO_EQUALS Error "record-no-equals" "RFC 8461 §3.1" "no `=` follows a field name"
    RECORD_FIELD_VALUE Error "record-field-value" "RFC 8461 §3.1" "a field value is empty or has a character that no value may have"
    RECORD_ID Error "record-id" "RFC 8461 §3.1" "the `id` is not 1 to 32 letters and digits"
    RECORD_NO_ID Error "record-no-id" "RFC 8461 §3.1" "the record has no `id`"
    RECORD_OTHER_TEXT Error "record-other-text" "RFC 8461 §3.1" "the text is no MTA-STS record but something else, such as a DMARC record or a policy"
    RECORD_ID_PLACEHOLDER Warning "record-id-placeholder" "RFC 8461 §3.1" "the `id` looks like a placeholder from a template"
    RECORD_SPACE_BEFORE_DELIMITER Warning "record-space-before-delimiter" "RFC 8461 §3.1" "white space before the first `;` makes senders drop the record beside other TXT records"
    RECORD_DUPLICATE Warning "record-duplicate-field" "RFC 8461 §3.2" "a field is repeated, and only the first one counts"
    RECORD_MISSPELT Warning "record-field-misspelt" "RFC 8461 §3.1" "a field name is `id` in other letter case"
    RECORD_EXTENSION Advice "record-extension" "RFC 8461 §3.2" "RFC 8461 does not define the field, so senders ignore it"
    POLICY_EMPTY Error "policy-empty" "RFC 8461 §3.2" "the policy file is empty"
    POLICY_TOO_LARGE Error "policy-too-large" "RFC 8461 §3.3" "the policy file is larger than 64 KiB"
    POLICY_NOT_UTF8 Error "policy-not-utf8" "RFC 8461 §3.2" "the policy file is not UTF-8 text"
    POLICY_OTHER_TEXT Error "policy-other-text" "RFC 8461 §3.2" "the file is no policy but something else, such as an HTML page or the TXT record"
    POLICY_FRONT_MATTER Error "policy-front-matter" "RFC 8461 §3.2" "the file begins with the front matter of a site generator"
    POLICY_LINE_BREAKS Error "policy-line-breaks" "RFC 8461 §3.2" "the fields are not separated by LF or CRLF"
    POLICY_BLANK_LINE Error "policy-blank-line" "RFC 8461 §3.2" "a line is blank"
    POLICY_LEADING_SPACE Error "policy-leading-space" "RFC 8461 §3.2" "a line begins with white space"
    POLICY_SPACE_BEFORE_COLON Error "policy-space-before-colon" "RFC 8461 §3.2" "white space stands before a `:`"
    POLICY_BYTE_ORDER_MARK Error "policy-byte-order-mark" "RFC 8461 §3.2" "the file begins with a byte order mark"
    POLICY_MX_TRAILING_DOT Error "policy-mx-trailing-dot" "RFC 8461 §3.2" "an `mx` ends in a dot"
    POLICY_FIELD_NAME Error "policy-field-name" "RFC 8461 §3.2" "a line does not begin with a field name"
    POLICY_NO_COLON Error "policy-no-colon" "RFC 8461 §3.2" "no `:` follows a field name"
    POLICY_FIELD_VALUE Error "policy-field-value" "RFC 8461 §3.2" "a field value is empty or has a control character"
    POLICY_VERSION Error "policy-version" "RFC 8461 §3.2" "`version` is not `STSv1`"
    POLICY_MODE Error "policy-mode" "RFC 8461 §3.2" "`mode` is not `enforce`, `testing` or `none`"
    POLICY_MAX_AGE Error "policy-max-age" "RFC 8461 §3.2" "`max_age` is not a number of seconds of 1 to 10 digits"
    POLICY_MX Error "policy-mx" "RFC 8461 §3.2" "an `mx` is not one host name, or `*.` and a host name"
    POLICY_NO_VERSION Error "policy-no-version" "RFC 8461 §3.2" "the policy has no `version`"
    POLICY_NO_MODE Error "policy-no-mode" "RFC 8461 §3.2" "the policy has no `mode`"
    POLICY_NO_MAX_AGE Error "policy-no-max-age" "RFC 8461 §3.2" "the policy has no `max_age`"
    POLICY_NO_MX Error "policy-no-mx" "RFC 8461 §3.2" "the policy has no `mx`, and its mode is not `none`"
    POLICY_MISSPELT Error "policy-field-misspelt" "RFC 8461 §3.2" "a field name is misspelt, so senders ignore the field"
    POLICY_DUPLICATE Warning "policy-duplicate-field" "RFC 8461 §3.2" "a field is repeated, and only the first one counts"
    POLICY_EXTENSION Advice "policy-extension" "RFC 8461 §3.2" "RFC 8461 does not define the field, so senders ignore it"
    POLICY_VERSION_NOT_FIRST Advice "policy-version-not-first" "RFC 8461 §3.2" "`version` is not the first field"
    POLICY_LINE_ENDS Advice "policy-line-ends" "RFC 8461 §3.2" "the lines of the file end in LF, not CRLF"
    POLICY_TESTING Advice "policy-testing" "RFC 8461 §5" "mode `testing` protects no mail"
    POLICY_NONE_WITH_MX Advice "policy-none-with-mx" "RFC 8461 §8.3" "senders ignore `mx` under mode `none`"
    POLICY_MAX_AGE_OVER_LIMIT Warning "policy-max-age-over-limit" "RFC 8461 §3.2" "`max_age` is over the limit of 31557600 seconds"
    POLICY_MAX_AGE_ZERO Warning "policy-max-age-zero" "RFC 8461 §3.2" "with `max_age: 0` senders do not keep the policy"
    POLICY_MAX_AGE_SHORT Warning "policy-max-age-short" "RFC 8461 §10.2" "`max_age` is under a day"
    POLICY_MAX_AGE_UNDER_WEEKS Advice "policy-max-age-under-weeks" "RFC 8461 §3.2" "`max_age` is under a week"
    POLICY_DUPLICATE_MX Warning "policy-duplicate-mx" "RFC 8461 §3.2" "an `mx` is given twice"
    POLICY_REDUNDANT_MX Advice "policy-redundant-mx" "RFC 8461 §4.1" "a wildcard matches this host already"
    POLICY_MX_IP_ADDRESS Warning "policy-mx-ip-address" "RFC 8461 §4.1" "an `mx` is an IP address, which matches no MX host"
    POLICY_MX_TOO_LONG Warning "policy-mx-too-long" "RFC 1035 §2.3.4" "an `mx` is longer than a DNS name can be"
    POLICY_MX_SINGLE_LABEL Warning "policy-mx-single-label" "RFC 8461 §4.1" "an `mx` has one label, which is no host of the public DNS"
    POLICY_MX_TOP_LEVEL Warning "policy-mx-top-level" "RFC 8461 §10.4" "a wildcard matches every domain under a top-level domain"
    POLICY_MX_OWN_DOMAIN Warning "policy-mx-own-domain" "RFC 8461 §10.4" "a wildcard matches every host of the domain itself"
    POLICY_MX_PLACEHOLDER Warning "policy-mx-placeholder" "RFC 8461 §4.1" "an `mx` looks like a placeholder from a template"
    POLICY_MX_SERVICE Warning "policy-mx-service" "RFC 8461 §4.1" "a pattern for a mail service matches none of the MX hosts that the service gives its customers"
    MX_NOT_COVERED Error "mx-not-covered" "RFC 8461 §4.1" "no `mx` of the policy matches an MX host"
    MX_PATTERN_UNUSED Warning "mx-pattern-unused" "RFC 8461 §4.1" "an `mx` of the policy matches no MX host"
    MEDIA_TYPE_MALFORMED Error "media-type-malformed" "RFC 9110 §8.3.1" "the `Content-Type` is no media type"
    MEDIA_TYPE_NOT_TEXT Error "media-type-not-text-plain" "RFC 8461 §3.2" "the media type is not `text/plain`"
    MEDIA_TYPE_CHARSET Warning "media-type-charset" "RFC 8461 §3.2" "the charset is neither utf-8 nor us-ascii"
    MORE Error "more" "RFC 8461 §3" "there are more findings than are listed"
}
