/// What the Handle Object Policy (guide 7.1) came to for one object.
package struct Decision: Sendable, Equatable {
    /// What it rests on.
    package enum Basis: Sendable, Equatable {
        /// Nothing is wrong with it.
        case clean
        /// `action_av` said so, without a scan for viruses.
        case configured
        /// It was judged spam: `action_as`.
        case spam
        /// `action_av_infected`.
        case infected
        /// `action_av_deleted`.
        case deleted
        /// `action_av_notscanned`.
        case notScanned
        /// Scanning it brought the scanner down twice (decision 8): `action_av_crashed`.
        case crashed
        /// There is no verdict: the daemon cannot be reached or is overloaded.
        case unavailable
        /// It had to be quarantined and could not be.
        case quarantineFailed
    }

    package var action: Disposition
    package var basis: Basis
    /// nil when viruses were not looked for.
    package var antivirus: AntivirusStatus?
    /// nil when antispam is off or had no result.
    package var antispam: AntispamStatus?
    /// Spam score, if there is one.
    package var score: Double?
    /// What has to be taken out of the message before it goes on. Empty unless `action` is accept.
    package var removals: [Removal]
    /// Whether the original must be in quarantine before `action` is carried out.
    package var quarantine: Bool
    /// Names of the threats, each once, in the order found; also those that were removed.
    package var threats: [String]
    /// Reasons why something was not scanned, each once.
    package var notScanned: [String]

    package init(
        _ action: Disposition, _ basis: Basis, antivirus: AntivirusStatus? = nil, antispam: AntispamStatus? = nil,
        score: Double? = nil, removals: [Removal] = [], quarantine: Bool = false, threats: [String] = [],
        notScanned: [String] = []
    ) {
        self.action = action
        self.basis = basis
        self.antivirus = antivirus
        self.antispam = antispam
        self.score = score
        self.removals = removals
        self.quarantine = quarantine
        self.threats = threats
        self.notScanned = notScanned
    }

    /// The value of %virus% and of the log field: the first threat, or "multiple threats"; empty if none.
    package var virus: String {
        switch threats.count {
        case 0: ""
        case 1: threats[0]
        default: "multiple threats"
        }
    }

    /// Whether anything about it is worth a line in a log that leaves out clean objects.
    package var isNotable: Bool {
        action != .accept || antivirus.map { $0 != .clean } ?? false || antispam == .spam || antispam == .likelySpam
    }

    /// The decision when the quarantine could not take the original: what would be lost by going on is
    /// deferred instead. A refused message stays with its sender, and an unchanged one goes on whole.
    package func afterQuarantineFailure() -> Decision {
        guard action == .discard || !removals.isEmpty else { return self }
        var changed = self
        changed.action = .defer
        changed.basis = .quarantineFailed
        changed.removals = []
        changed.quarantine = false
        if changed.antivirus == .deleted { changed.antivirus = .infected }
        return changed
    }
}

/// A part that is taken out of a message.
package struct Removal: Sendable, Equatable {
    package enum Target: Sendable, Equatable {
        /// The part whose raw body this is, as a range of the message.
        case part(Range<UInt64>)
        /// The whole content of the message; its header stays.
        case content
    }
    package var target: Target
    /// File name of the part, as the container told it; empty if it has none.
    package var name: String
    /// The threats in it.
    package var threats: [String]

    package init(_ target: Target, name: String = "", threats: [String] = []) {
        self.target = target
        self.name = name
        self.threats = threats
    }
}
