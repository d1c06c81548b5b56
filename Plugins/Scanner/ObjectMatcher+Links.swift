import BytesE
import CModuleABI
import Matching
import ModuleKit
import Normalization

extension ObjectMatcher {
    /// Reports links of HTML mail that show another address than the one they lead to, and addresses that are listed.
    func judge(_ links: [HTMLLink], of object: em_object) throws(ModuleError) {
        guard let database = signatures else { return }
        for link in links {
            try context.check()
            let suspicion = link.target.withUnsafeBufferPointer { target in
                link.shown.withUnsafeBufferPointer { shown in
                    LinkJudge(database).suspicion(of: link, target: ByteView(target), shown: ByteView(shown))
                }
            }
            guard let suspicion else { continue }
            context.report(
                EM_FINDING_HEURISTIC, object: object.id, name: ByteView(suspicion), source: ByteView("links"),
                score: 100)
            return
        }
    }
}

/// Judges one link by the rules of the database.
///
/// Steps and names are those of Cisco-Talos/clamav-documentation, PhishSigs.
struct LinkJudge {
    private let database: Database

    init(_ database: Database) {
        self.database = database
    }

    /// What is suspicious about a link, nil when nothing is.
    func suspicion(of link: HTMLLink, target: ByteView, shown: ByteView) -> StaticString? {
        guard LinkText.isAddress(target, anyScheme: false) else { return nil }
        if database.hasLinkHashes, let verdict = listed(target) { return verdict }
        guard !shown.isEmpty, !target.equals(shown) else { return nil }
        let real = LinkText.cleaned(target, isTarget: true)
        let claimed = LinkText.cleaned(shown, isTarget: false)
        return real.withUnsafeBufferPointer { real in
            claimed.withUnsafeBufferPointer { claimed in
                compare(ByteView(real), ByteView(claimed), link.kind)
            }
        }
    }

    private func compare(_ real: ByteView, _ shown: ByteView, _ kind: HTMLLink.Kind) -> StaticString? {
        guard !real.isEmpty, !shown.isEmpty, !real.equals(shown), LinkText.isAddress(shown, anyScheme: true) else {
            return nil
        }
        if holds(EM_LINK_ALLOWED_REGEX, real, shown) || holds(EM_LINK_ALLOWED_REAL, real, nil) { return nil }
        var isProtected = holds(EM_LINK_PROTECTED_REGEX, real, shown)
        guard let shownHost = LinkText.host(shown, isTarget: false),
            let realHost = LinkText.host(real, isTarget: true)
        else { return nil }
        if hostsAreAllowed(realHost.name, shownHost.name) { return nil }
        if database.linkRule(EM_LINK_PROTECTED_HOST, holdsFor: shownHost.name) {
            isProtected = true
        } else if kind == .image {
            // Pictures count only for hosts that are protected by name.
            return nil
        }
        guard isProtected else { return nil }
        if LinkText.isCloaked(real) { return "Heuristics.Phishing.Email.Cloaked.Null" }
        if kind == .anchor, shown.hasPrefix(ByteView("https:")), !real.hasPrefix(ByteView("https:")) {
            return "Heuristics.Phishing.Email.SSL-Spoof"
        }
        if LinkText.domain(realHost.name).equals(LinkText.domain(shownHost.name)) { return nil }
        if realHost.hasMisleadingUser || shownHost.hasMisleadingUser {
            return "Heuristics.Phishing.Email.Cloaked.Username"
        }
        if realHost.isNumeric || shownHost.isNumeric { return "Heuristics.Phishing.Email.Cloaked.NumericIP" }
        return "Heuristics.Phishing.Email.SpoofedDomain"
    }

    /// Asks about "real:shown/", or "real/".
    private func holds(_ kind: UInt32, _ real: ByteView, _ shown: ByteView?) -> Bool {
        var text = real.array
        if let shown {
            text.append(UInt8(ascii: ":"))
            text.append(contentsOf: shown.buffer)
        }
        text.append(UInt8(ascii: "/"))
        return text.withUnsafeBufferPointer { database.linkRule(kind, holdsFor: ByteView($0)) }
    }

    private func hostsAreAllowed(_ real: ByteView, _ shown: ByteView) -> Bool {
        var text = real.array
        text.append(UInt8(ascii: ":"))
        text.append(contentsOf: shown.buffer)
        return text.withUnsafeBufferPointer { database.linkRule(EM_LINK_ALLOWED_HOSTS, holdsFor: ByteView($0)) }
    }

    /// Whether the address, its host without some labels, or its path without its end is listed by hash.
    private func listed(_ target: ByteView) -> StaticString? {
        guard let url = CanonicalURL(target) else { return nil }
        var verdict: StaticString?
        url.forEachForm { host, path in
            switch database.linkHash(host: host, path: path) {
            case EM_LINK_HASH_ALLOWED:
                verdict = nil
                return false
            case EM_LINK_HASH_BLOCKED: verdict = "Heuristics.Phishing.URL.Blocked"
            case EM_LINK_HASH_MALWARE:
                verdict = "Heuristics.Safebrowsing.Suspected-malware_safebrowsing.clamav.net"
            case EM_LINK_HASH_PHISHING:
                verdict = "Heuristics.Safebrowsing.Suspected-phishing_safebrowsing.clamav.net"
            default: return true
            }
            return false
        }
        return verdict
    }
}
