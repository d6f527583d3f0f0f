//! The envelope of a transaction.

/// The envelope of a transaction, as far as the walk decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub(super) recipients: &'a [usize],
    pub(super) needs_requiretls: bool,
}

impl<'a> Envelope<'a> {
    /// Returns the recipients of this transaction: those that no host has accepted or refused so far.
    /// They are numbers from 0 on, in the order of
    /// [`Outcome::recipients`](super::Outcome::recipients).
    #[must_use]
    pub const fn recipients(self) -> &'a [usize] {
        self.recipients
    }

    /// Returns the end of the `MAIL` command: ` REQUIRETLS` if the message requires TLS ([RFC 8689
    /// §4.2.1]), else nothing.
    ///
    /// [RFC 8689 §4.2.1]: https://www.rfc-editor.org/rfc/rfc8689#section-4.2.1
    #[must_use]
    pub const fn mail_parameters(self) -> &'static str {
        if self.needs_requiretls { " REQUIRETLS" } else { "" }
    }
}
