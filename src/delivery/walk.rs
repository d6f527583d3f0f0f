//! A delivery: its creation, settings and state.

use alloc::{
    collections::VecDeque,
    sync::Arc,
    vec::{self, Vec},
};

use time::UtcDateTime;

use super::{
    conclusion::PermanentFailure,
    refusal::{HostFailure, HostFailureReason},
    report::SessionReport,
    require_tls::RequireTls,
    requirement::{MinTlsLevel, TlsLevel},
    route::{Mx, Route},
    rules::Rules,
    stage::{Found, Stage},
    tls_rules::TlsRules,
    tried::Tried,
};
use crate::{domain::Domain, no_policy::NoPolicy, policy::Policy};

/// A state machine that delivers one message to the MX hosts of its next hop.
///
/// It uses the same policy for all hosts; later changes in the cache apply to the next delivery.
/// See the [module](super) for the loop.
///
/// Handlers consume the token of the previous step, so that no step can be left out or repeated. A
/// token of another delivery, or of an abandoned host, has no effect, except that a message which
/// was accepted is [delivered](Self::handle_reply). A handler that decides about a host returns a
/// failure with [`HostFailureReason::Abandoned`]; [`reuse`](Self::reuse) and
/// [`reconnect`](Self::reconnect) return the token.
#[derive(Debug)]
pub struct Delivery {
    pub(super) rules: Arc<Rules>,
    pub(super) waiting: vec::IntoIter<Mx>,
    /// The best preference of the sender itself.
    pub(super) own: Option<u16>,
    /// The host that is being tried.
    pub(super) open: Option<Tried>,
    pub(super) serial: u64,
    pub(super) stage: Stage,
    pub(super) recheck: Option<Found>,
    /// The number of consecutive rechecks without a result in earlier deliveries of this message.
    pub(super) unconfirmed: u32,
    pub(super) max_unconfirmed: Option<u32>,
    pub(super) refusals: Vec<HostFailure>,
    pub(super) reports: VecDeque<SessionReport>,
}

impl Delivery {
    /// Creates the delivery of a message over a route. `floor` is the minimum TLS level.
    ///
    /// `policy` is the answer of the cache for [`Route::policy_domain`]. If it is a [`NoPolicy`]
    /// that [`is_temporary`](NoPolicy::is_temporary), a sender that prefers to wait rather than
    /// send without a policy creates no delivery yet.
    #[must_use]
    pub fn new(route: Route, policy: Result<Arc<Policy>, NoPolicy>, floor: MinTlsLevel) -> Self {
        let policy = match &route.domain {
            Ok(_) => policy,
            Err(error) => Err(error.clone().into()),
        };
        let rules = Arc::new(Rules::new(&route, policy, floor));
        let mx = route.mx;
        let own = mx.iter().filter(|mx| mx.is_own).map(|mx| mx.preference).min();
        Self {
            rules,
            waiting: mx.into_iter(),
            own,
            open: None,
            serial: 0,
            stage: Stage::Start,
            recheck: None,
            unconfirmed: 0,
            max_unconfirmed: None,
            refusals: Vec::new(),
            reports: VecDeque::new(),
        }
    }

    /// Sets the number of consecutive rechecks without a result after which the message may be
    /// bounced. Default: no limit.
    ///
    /// "A message delivery attempt MUST NOT be permanently failed until the sender has first
    /// checked for the presence of a new policy" ([RFC 8461 §5.1]). This also holds if DNS or the
    /// Policy Host fails permanently: without a limit, such a message is never bounced because of
    /// its policy, and stays in the queue for as long as the mail server keeps it. A limit departs
    /// from the RFC; it is for operators who must empty their queues. Choose one that takes several
    /// days to reach.
    ///
    /// The mail server stores the count with the message: see
    /// [`with_unconfirmed`](Self::with_unconfirmed).
    ///
    /// [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
    #[must_use]
    pub fn with_max_unconfirmed(mut self, max: u32) -> Self {
        self.max_unconfirmed = Some(max);
        self
    }

    /// Sets the number of consecutive rechecks without a result in earlier deliveries of this
    /// message: [`Deferral::unconfirmed`](super::Deferral::unconfirmed) of the last one. It is 0 by
    /// default.
    #[must_use]
    pub fn with_unconfirmed(mut self, count: u32) -> Self {
        self.unconfirmed = count;
        self
    }

    /// Sets whether a policy of mode `enforce` requires a certificate that is valid by PKIX even if
    /// the host has usable TLSA records. Default: false, DANE alone decides.
    ///
    /// RFC 8461 can be read in both ways. By the letter of [RFC 8461 §5], no message is sent to a
    /// host that fails certificate validation. By [RFC 8461 §2], MTA-STS is designed "not to
    /// interfere with DANE deployments when the two overlap", and certificates for DANE need no
    /// certification authority ([RFC 7672 §3.1.1]). The default follows [RFC 8461 §2], as DANE is
    /// the stronger of the two; the host must be listed in any case. With this set, both are
    /// required ([`TlsLevel::DaneAndPkix`]).
    ///
    /// Call it before the first [`poll`](Self::poll): later it has no effect.
    ///
    /// [RFC 7672 §3.1.1]: https://www.rfc-editor.org/rfc/rfc7672#section-3.1.1
    /// [RFC 8461 §2]: https://www.rfc-editor.org/rfc/rfc8461#section-2
    /// [RFC 8461 §5]: https://www.rfc-editor.org/rfc/rfc8461#section-5
    #[must_use]
    pub fn with_pkix_beside_dane(mut self, demands_both: bool) -> Self {
        if let Some(rules) = self.settings() {
            rules.enforced_beside_dane =
                if demands_both { TlsLevel::DaneAndPkix } else { TlsLevel::Dane };
        }
        self
    }

    /// Sets whether the policy is one that the operator has pinned or listed, and not the domain's
    /// own. Default: false.
    ///
    /// Such a policy applies like any other, but is not reported to the domain, which did not
    /// publish it. The clients set this by the [`Source`](crate::cache::Source) of the policy.
    /// After [`Step::PolicyChanged`](super::Step::PolicyChanged), set it again for the new
    /// delivery.
    ///
    /// Call it before the first [`poll`](Self::poll): later it has no effect.
    #[must_use]
    pub fn with_operators_policy(mut self, is_operators: bool) -> Self {
        if let Some(rules) = self.settings() {
            rules.is_operators_policy = is_operators;
        }
        self
    }

    /// Sets the tag of the message by REQUIRETLS (RFC 8689). Default: [`RequireTls::Unspecified`].
    /// After [`Step::PolicyChanged`](super::Step::PolicyChanged), set it again for the new delivery.
    ///
    /// Call it before the first [`poll`](Self::poll): later it has no effect.
    #[must_use]
    pub fn with_require_tls(mut self, tag: RequireTls) -> Self {
        if let Some(rules) = self.settings() {
            rules.require_tls = tag;
        }
        self
    }

    /// Applies the operator's rules for the domain and its MX hosts, those of this time. Default: no
    /// rules. It takes time linear in the number of MX hosts times that of rules for MX hosts. After [`Step::PolicyChanged`](super::Step::PolicyChanged), apply them again for the new
    /// delivery. The clients apply theirs.
    ///
    /// Call it before the first [`poll`](Self::poll): later it has no effect.
    #[must_use]
    pub fn with_tls_rules(mut self, tls: &TlsRules, now: UtcDateTime) -> Self {
        let hosts = self.waiting.as_slice().iter().map(|mx| &mx.host);
        let exempt = hosts.filter(|host| tls.accepts_any_certificate(host, now)).cloned().collect();
        if let Some(rules) = self.settings() {
            rules.apply(tls, exempt);
        }
        self
    }

    /// Returns the settings, as long as no step depends on them.
    fn settings(&mut self) -> Option<&mut Rules> {
        if !matches!(self.stage, Stage::Start) {
            return None;
        }
        Arc::get_mut(&mut self.rules)
    }

    /// Begins the walk over the hosts.
    pub(super) fn start(&mut self) {
        // The list is empty only if all records named the root (RFC 7505 §3).
        let is_null = self.waiting.as_slice().is_empty();
        self.stage = if is_null { self.no_mail_accepted() } else { Stage::Walking };
    }

    /// Returns the domain whose policy applies.
    #[must_use]
    pub fn policy_domain(&self) -> Option<&Domain> {
        self.rules.domain.as_ref()
    }

    /// Returns the policy of this delivery. A policy of mode `none` counts as none ([RFC 8461 §5]).
    ///
    /// # Errors
    ///
    /// Returns the reason if there is no policy.
    ///
    /// [RFC 8461 §5]: https://www.rfc-editor.org/rfc/rfc8461#section-5
    pub fn policy(&self) -> Result<&Arc<Policy>, &NoPolicy> {
        self.rules.policy.as_ref()
    }

    /// Returns the failures of hosts so far.
    #[must_use]
    pub fn host_failures(&self) -> &[HostFailure] {
        &self.refusals
    }

    /// Ends the delivery for a null MX. The message is undeliverable only if the record counts as a
    /// statement of the domain, and is no mistake of the operator.
    fn no_mail_accepted(&mut self) -> Stage {
        let Some(domain) = self.rules.name.clone() else { return Stage::Failed(None) };
        let refusal = self.refuse(domain.clone(), self.rules.null_mx());
        match *refusal.reason {
            HostFailureReason::NullMx if !refusal.is_by_policy => {
                Stage::Undeliverable(PermanentFailure::NullMx(domain))
            }
            _ => Stage::Failed(None),
        }
    }

    pub(super) fn refuse(&mut self, host: Arc<str>, reason: HostFailureReason) -> HostFailure {
        let refusal = self.rules.refusal(host, reason);
        self.refusals.push(refusal.clone());
        refusal
    }
}
