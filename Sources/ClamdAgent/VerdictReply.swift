import ClamdProtocol
package import ScanProtocol

/// What a verdict is in the words of clamd.
package enum VerdictReply: Sendable, Equatable {
    case clean
    /// Names of threats, without repetition; at least one.
    case found([String])
    /// There is no statement about the object.
    case error(String)

    /// - Parameters:
    ///   - verdict: of the whole object.
    ///   - notScanned: what counts when a part of it was not scanned.
    ///   - heuristicScore: points from which a heuristic finding is told.
    ///   - all: all names, not only the first one.
    package init(
        _ verdict: ScanVerdict, notScanned: ClamdSettings.NotScanned, heuristicScore: Double, all: Bool
    ) {
        // Signatures first: their names say more than a suspicion.
        let certain = verdict.findings.filter { $0.kind != .heuristic && $0.isThreat }
        let suspected = verdict.findings.filter { $0.kind == .heuristic && $0.score >= heuristicScore }
        let names = (certain + suspected).map { VerdictReply.name($0.name) }
        if !names.isEmpty {
            var seen: Set<String> = []
            self = .found(all ? names.filter { seen.insert($0).inserted } : [names[0]])
            return
        }
        guard let reason = verdict.notScanned.first else {
            self = .clean
            return
        }
        // Decision about a crash is not the client's: the next one would be no better.
        if reason.name == "crash" {
            self = .error("The scanner crashed on this object")
            return
        }
        switch notScanned {
        case .error: self = .error("Not scanned: \(reason.name)")
        case .found: self = .found([VerdictReply.name(ofReason: reason.name)])
        case .ok: self = .clean
        }
    }

    /// The lines of the reply.
    package func lines(_ object: [UInt8]) -> [[UInt8]] {
        switch self {
        case .clean: [ReplyText.clean(object)]
        case .found(let names): names.map { ReplyText.found(object, $0) }
        case .error(let reason): [ReplyText.error(object, reason)]
        }
    }

    /// A name as clients can read it out of the line: it must not be empty, nor end like a reply.
    private static func name(_ name: String) -> String {
        let text = name.replacing(" FOUND", with: "_FOUND").replacing(": ", with: ":")
        return text.isEmpty ? "unnamed" : text
    }

    /// A reason as a name of the kind that clamd gives: some clients tell encryption and limits from threats by it.
    private static func name(ofReason reason: String) -> String {
        if reason == "password protected" { return "Heuristics.Encrypted.Object" }
        if reason.hasPrefix("limit:") { return "Heuristics.Limits.Exceeded.\(word(String(reason.dropFirst(6))))" }
        return "Heuristics.NotScanned.\(word(reason))"
    }

    /// "password protected" as "PasswordProtected".
    private static func word(_ reason: String) -> String {
        var result = ""
        var begins = true
        for character in reason {
            guard character.isASCII, character.isLetter || character.isNumber else {
                begins = true
                continue
            }
            result += begins ? character.uppercased() : String(character)
            begins = false
        }
        return result
    }
}
