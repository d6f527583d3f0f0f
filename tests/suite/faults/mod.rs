//! Plants faults in two small senders and a small verifier of certificates: each is caught by a vector that is named here, so that the vectors
//! tell a wrong implementation from a right one.

mod decision;
mod memory;
mod verifier;

use serde_json::Value;

use crate::judge::{Answered, Category, Vector, judged, vectors};

/// What a simple sender without faults answers to a `scenario`.
pub(crate) fn remembered(vector: &Vector) -> Value {
    memory::Sender::answer(&vector.json, None)
}

#[test]
fn a_simple_sender_without_faults_is_right() {
    let mut wrong = Vec::new();
    for vector in vectors::all(0).unwrap() {
        let answer = match vector.kind.as_str() {
            "scenario" => memory::Sender::answer(&vector.json, None),
            "delivery" => decision::answer(&vector.json, None),
            "certificate" => verifier::answer(&vector.json, None),
            _ => continue,
        };
        // A simple sender makes no effort where nobody asks for it.
        let is_binding = matches!(vector.category, Category::Must | Category::Should);
        match judged(&vector, &answer) {
            Answered::Wrong(how) if is_binding => wrong.push(format!("{}: {how}", vector.id)),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_fault_of_the_memory_is_caught() {
    use memory::Fault::*;

    let vectors = vectors::all(0).unwrap();

    for (fault, id) in [
        (LifeIsExtendedByTheRecord, "life-is-not-extended-by-the-record-1d"),
        (NeverExpires, "life-lasts-to-the-second-1d-blocked"),
        (ExpiresAtHalfItsLife, "life-lasts-to-the-second-1d-blocked"),
        (ShortLivesAreRaised, "life-of-a-minute"),
        (ForgetsWithoutARecord, "live-policy-outlives-its-record-no-record"),
        (ForgetsWithAnInvalidRecord, "live-policy-outlives-its-record-invalid-record"),
        (ForgetsWhenDnsFails, "live-policy-outlives-its-record-failing-dns"),
        (ForgetsWhenAFetchFails, "live-policy-survives-new-id-bad-certificate"),
        (ForgetsWhenTheClockIsSetBack, "clock-set-back-an-hour"),
        (TakesTheFirstOfTwoRecords, "no-available-policy-doubled-record"),
        (TakesFailingDnsForNoRecord, "new-id-after-failing-dns"),
        (IgnoresNewIds, "recheck-finds-another-host"),
        (OnlyGreaterIdsAreNew, "new-id-is-fetched-lower"),
        (ComparesIdsAsNumbers, "new-number-is-fetched-leading-zero"),
        (ComparesIdsAsNumbers, "new-number-is-fetched-last-of-twenty-digits"),
        (StoresTheIdOfAFailedFetch, "failed-refresh-recovers"),
        (NoBackOff, "failed-fetch-waits-five-minutes-status-404"),
        (BackOffOfTheLastIdOnly, "failed-fetch-is-remembered-per-id"),
        (AnySuccessEndsTheBackOff, "failed-fetch-is-remembered-after-a-success"),
        (
            RefreshesIgnoreTheBackOff,
            "failed-fetches-of-messages-and-refreshes-share-the-five-minutes",
        ),
        (RefreshesAreNotCounted, "failed-fetches-of-messages-and-refreshes-share-the-five-minutes"),
        (NeverRefreshes, "refresh-before-the-end-7d"),
        (RefreshesEnforceOnly, "refresh-of-a-testing-policy-before-the-end"),
        (RefreshesOnlyWithARecord, "refresh-whatever-the-record-says-no-record"),
        (KeepsTheStrongerPolicy, "new-policy-replaces-enforce-by-testing"),
        (NoneIsNotCached, "new-policy-replaces-enforce-by-none"),
        (RecheckTrustsTheTtl, "recheck-asks-dns-within-the-ttl"),
        (RecheckDoesNotFetch, "recheck-finds-mode-testing"),
        (BouncesWhenDnsFails, "recheck-while-dns-fails"),
        (BouncesWhenAFetchFails, "recheck-while-the-new-policy-cannot-be-fetched-no-connection"),
        (RestartForgets, "restart-keeps-a-live-policy-blocked"),
        (RestartRenewsLives, "restart-does-not-lengthen-a-life"),
        (NeverAlerts, "alert-when-refresh-fails-no-connection"),
        (AlertsForModeNone, "no-alert-for-mode-none-gone"),
    ] {
        let vector = vector(&vectors, &format!("scenario-{id}"));
        assert_caught(vector, &memory::Sender::answer(&vector.json, Some(fault)), fault);
    }
}

#[test]
fn each_fault_of_the_decision_is_caught() {
    use decision::Fault::*;

    let vectors = vectors::all(0).unwrap();

    for (fault, id) in [
        (SendsToUnlistedHosts, "enforce-unlisted-another-name"),
        (WildcardsMatchSeveralLabels, "enforce-unlisted-two-labels-for-the-wildcard"),
        (WildcardsMatchNoLabel, "enforce-unlisted-parent-of-the-wildcard"),
        (ComparesCase, "enforce-valid-upper-case-host"),
        (SendsWithoutStarttls, "enforce-no-starttls"),
        (FallsBackToClearText, "enforce-no-handshake"),
        (IgnoresExpiry, "enforce-expired"),
        (IgnoresTheName, "enforce-valid-certificate-of-another-listed-host"),
        (IgnoresTheIssuer, "enforce-self-signed"),
        (EnforcesTesting, "testing-listed-expired"),
        (EnforcesNone, "mode-none-no-starttls"),
        (StopsAtTheFirstFailure, "enforce-next-host-after-expired"),
        (BouncesAtOnce, "enforce-all-hosts-fail-expired"),
        (FiltersTheList, "hosts-behind-the-sender-itself-enforce"),
        (MtaStsOverridesDane, "dane-mismatch-enforce"),
        (FailedTlsaLookupIsNoDane, "dane-failed-enforce"),
        (UnusableTlsaIsNoDane, "dane-unusable-no-policy-without-tls-no-starttls"),
        (DaneReplacesMxMatching, "dane-match-of-an-unlisted-host"),
        (RequiretlsNeedNotBeOffered, "requiretls-not-offered-enforce"),
        (RequiretlsNeedsNoIdentity, "requiretls-no-host-is-identified-no-policy"),
        (RequiretlsOfSecureMxIgnoresTheList, "requiretls-secure-mx-of-an-unlisted-host"),
        (RequiretlsIsMetByUnusableTlsa, "requiretls-secure-mx-dane-unusable-self-signed"),
        (RequiretlsNeedsAnMxRecord, "requiretls-without-an-mx-record"),
        (TlsRequiredNoIsIgnored, "tls-required-no-unlisted"),
        (TlsRequiredNoKeepsToTheList, "tls-required-no-first-of-two-hosts-unlisted"),
        (ReportsModeNone, "report-mode-none-no-starttls"),
        (ReportsUnreachableHosts, "report-unreachable-enforce"),
        (ReportsTestingAsSuccess, "report-testing-expired"),
    ] {
        let vector = vector(&vectors, &format!("delivery-{id}"));
        assert_caught(vector, &decision::answer(&vector.json, Some(fault)), fault);
    }
}

#[test]
fn each_fault_of_a_verifier_is_caught() {
    use verifier::Fault::*;

    let vectors = vectors::all(0).unwrap();

    for (fault, id) in [
        (AcceptsCommonNames, "common-name-only"),
        (ComparesCase, "upper-case-host"),
        (WildcardsMatchSeveralLabels, "wildcard-for-two-labels"),
        (IgnoresExpiry, "expired"),
        (IgnoresExpiryOfIssuers, "expired-intermediate"),
        (ChecksNoSignature, "signature-forged"),
        (ChecksNoSignature, "signature-of-the-issuer-forged"),
        (ChecksNoSignature, "issuer-with-another-key"),
        (ChecksNoSignature, "root-with-another-key"),
        (ChecksNoSignature, "root-with-another-key-presented"),
        (IgnoresBasicConstraints, "issuer-is-no-authority"),
        (IgnoresBasicConstraints, "issuer-without-basic-constraints"),
        (IgnoresPathLength, "path-too-long"),
        (IgnoresKeyUsage, "issuer-without-cert-sign"),
        (IgnoresPurposes, "for-clients"),
        (IgnoresNameConstraints, "name-not-permitted"),
        (IgnoresCriticalExtensions, "unknown-critical-extension"),
        (IgnoresCriticalExtensions, "issuer-with-unknown-critical-extension"),
        (TrustsPresentedRoots, "another-root"),
        (TriesOnePath, "cross-signed-to-the-trusted-root"),
        (TriesOnePath, "issuer-without-cert-sign-and-with-it"),
        (GrantsASecond, "ended-a-second-ago"),
        (EndsNamesAtNul, "name-with-a-nul"),
        (LooksAtTheFirstName, "last-of-three-names"),
        (LooksAtTheLastName, "first-of-three-names"),
        (ComparesLettersOfNameConstraints, "name-permitted-by-letters-only"),
        (ComparesLettersOfNameConstraints, "name-excluded-by-letters-only"),
        (Above(&IgnoresExpiry), "upper-issuer-expired"),
        (Above(&ChecksNoSignature), "upper-issuer-with-another-key"),
        (Above(&IgnoresBasicConstraints), "upper-issuer-is-no-authority"),
        (Above(&IgnoresKeyUsage), "upper-issuer-without-cert-sign"),
        (Above(&IgnoresNameConstraints), "upper-issuer-excludes-the-name"),
        (Above(&IgnoresCriticalExtensions), "upper-issuer-with-unknown-critical-extension"),
    ] {
        let vector = vector(&vectors, &format!("certificate-{id}"));
        assert_caught(vector, &verifier::answer(&vector.json, Some(fault)), fault);
    }
}

#[track_caller]
fn assert_caught(vector: &Vector, answer: &Value, fault: impl std::fmt::Debug) {
    let verdict = judged(vector, answer);
    assert!(matches!(verdict, Answered::Wrong(_)), "{fault:?} is not caught by {}", vector.id);
}

fn vector<'a>(vectors: &'a [Vector], id: &str) -> &'a Vector {
    let mut vectors = vectors.iter();
    vectors.find(|vector| vector.id == id).unwrap_or_else(|| panic!("no vector {id}"))
}
