//! The observations of a nameserver in an exchange.

/// The observations of a server in one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// `Some(true)` if the server has answered, `Some(false)` if it has not, `None` as long as it
    /// still may.
    pub(super) answers: Option<bool>,
    /// `true` if the server has left a query with EDNS unanswered, or refused it because of EDNS.
    pub(super) dislikes_edns: bool,
    /// `true` if the server has answered only without EDNS.
    pub(super) is_plain: bool,
}

impl Seen {
    /// Notes that the server has left a query unanswered.
    pub(super) fn is_silent(&mut self) {
        self.answers.get_or_insert(false);
    }
}
