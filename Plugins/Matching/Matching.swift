package import BytesE
package import CModuleABI
import DatabaseSections
import Lending
import Regex

/// One signature that matches an object.
package struct Match {
    /// How it was found.
    package enum Kind: Sendable {
        case digest, body, logical, yara
    }

    /// How it was found.
    package let kind: Kind
    /// Number of the signature: see `Database.signature(_:)`.
    package let signature: Int
    /// Where its match begins, in bytes from the object's first; of a rule its first part that matches, in the
    /// order of the rule; 0 for a digest and for a rule of which no part matches.
    package let offset: Int
}

/// What of a database is asked about some bytes.
package enum MatchSubject {
    /// An object: everything.
    case object
    /// An object that signatures see in its forms only: its digests, and YARA rules.
    case bare
    /// A normalised form of an object: patterns and logical signatures. Digests and YARA rules are for the object itself.
    case form(of: ByteView)
}

/// How matching of one object ended. Only `complete` and `allowed` say something about the whole object.
package enum MatchOutcome: Sendable {
    /// Everything was looked at, or the first match was asked for and found.
    case complete
    /// Signatures match, but the list of false positives names exactly this object: nothing was reported.
    case allowed
    /// The budget check said no.
    case cancelled
    /// Verification of patterns took more work than an object may cause: treat it as "not scanned".
    case limit
    /// The database contradicts itself, or a digest could not be computed: treat it as "not scanned".
    case failed
}

extension Database {
    /// Looks which signatures match an object.
    ///
    /// - Parameters:
    ///   - object: the object's bytes, which must not change meanwhile.
    ///   - type: EM_TYPE_…: patterns for other types are not tried.
    ///   - all: report every signature that matches, each once; otherwise stop at the first one. A potentially unwanted
    ///     application is no reason to stop: something worse may follow.
    ///   - facts: what rules ask besides the object's bytes.
    ///   - scratch: working memory, used by one call at a time; reuse it.
    ///   - check: called at least once for each 64 KiB of the object; false cancels.
    ///   - yara: decides about a YARA rule of which something matched: gets the rule, its number and what matched
    ///     (`scratch.hits`, by the slots of its parts).
    ///   - subject: what `object` is.
    ///   - retype: called with each EM_TYPE_… that rules say the object has, too.
    ///   - report: called for each match after the whole object was looked at; never for an allowed object.
    /// - Returns: whether the whole object was looked at, and if not, why.
    package func match(
        _ object: ByteView, type: UInt32, all: Bool = false, facts: ObjectFacts = ObjectFacts(), scratch: Scratch,
        as subject: MatchSubject = .object, check: () -> Bool,
        yara: (em_rule, Int, Hits) -> Bool = { _, _, _ in false },
        retype: (UInt32) -> Void = { _ in }, report: (Match) -> Void
    ) -> MatchOutcome {
        scratch.begin()
        guard check() else { return .cancelled }
        var outcome = MatchOutcome.complete
        let target: UInt32
        let plan: UInt32
        var original = object
        var isForm = false
        switch subject {
        case .object:
            target = Database.target(ofType: type)
            plan = target
        case .bare:
            target = EM_TARGET_ANY
            plan = EM_PLAN_RULES_ONLY
        case .form(let whole):
            target = Database.target(ofType: type)
            plan = target
            original = whole
            isForm = true
        }
        if !isForm { outcome = matchDigests(object, in: hashes, all: all, scratch: scratch, check: check) }
        var blocker: Int?
        if outcome == .complete, !isForm, all || !scratch.isDecided, type == EM_TYPE_PE {
            blocker = certificates.blocker(of: object)
            if let blocker { scratch.add(Match(kind: .digest, signature: blocker, offset: 0), flags: 0) }
            if all || !scratch.isDecided {
                outcome = matchProgram(object, all: all, scratch: scratch, check: check)
            }
        }
        if outcome == .complete, all || !scratch.isDecided {
            if !isForm, let hash = facts.imageHash { rules.note(imageHash: hash, in: scratch.hits) }
            outcome = patterns.match(
                object, target: target, plan: plan, all: all, rules: rules, catalogue: catalogue, scratch: scratch,
                check: check)
            if outcome == .complete || outcome == .limit, all || !scratch.isDecided {
                let answer = matchRules(
                    object, target: target, as: subject, all: all, facts: facts, scratch: scratch, check: check,
                    yara: yara)
                if outcome == .complete { outcome = answer }
            }
        }
        if !scratch.matches.isEmpty {
            // When the list cannot be asked, the matches stand.
            let answer = isAllowed(original, scratch: scratch, check: check)
            if answer == .allowed { return .allowed }
            if answer != .complete { outcome = answer }
            let isProgram = type == EM_TYPE_PE && blocker == nil
            if isProgram, certificates.isTrusted(original, check: check) { return .allowed }
        }
        for type in scratch.types { retype(type) }
        for match in scratch.matches { report(match) }
        return outcome
    }

    /// Evaluates the rules of which something matched.
    private func matchRules(
        _ object: ByteView, target: UInt32, as subject: MatchSubject, all: Bool, facts: ObjectFacts, scratch: Scratch,
        check: () -> Bool, yara: (em_rule, Int, Hits) -> Bool
    ) -> MatchOutcome {
        let asksYARA: Bool
        let asksLogical: Bool
        var size = object.count
        switch subject {
        case .object: (asksYARA, asksLogical) = (true, true)
        case .bare: (asksYARA, asksLogical) = (true, false)
        case .form(let whole):
            (asksYARA, asksLogical) = (false, true)
            // As in ClamAV: text is as large as it was, the forms of pages are files of their own.
            if target == EM_TARGET_TEXT { size = whole.count }
        }
        // The evaluator keeps the check only as long as this call lasts.
        return withoutActuallyEscaping(check) { check in
            regexes.with { cache in
                let verifier = Verifier(
                    set: patterns, rules: rules, catalogue: catalogue, object: object, target: target, all: all,
                    scratch: scratch, check: check)
                var evaluator = LogicalEvaluator(
                    rules: rules, bytes: patterns.bytes, object: object, target: target, size: size, facts: facts,
                    hits: scratch.hits, regexes: cache, scratch: scratch, verifier: verifier, icons: icons, check: check
                )
                var outcome = MatchOutcome.complete
                var untilCheck = Self.rulesBetweenChecks
                let isWhole = rules.forEachCandidate(scratch.hits, target: target, scratch: scratch) { number in
                    untilCheck -= 1
                    if untilCheck == 0 {
                        untilCheck = Self.rulesBetweenChecks
                        guard check() else {
                            outcome = .cancelled
                            return false
                        }
                    }
                    guard let rule = rules.rule(number) else {
                        outcome = .failed
                        return false
                    }
                    let isTrue: Bool
                    let kind: Match.Kind
                    if rule.kind == UInt8(EM_RULE_YARA) {
                        guard asksYARA else { return true }
                        isTrue = yara(rule, number, scratch.hits)
                        kind = .yara
                    } else {
                        guard asksLogical else { return true }
                        isTrue = rule.kind == UInt8(EM_RULE_LOGICAL) && evaluator.isTrue(rule)
                        kind = .logical
                        outcome = evaluator.outcome
                    }
                    if isTrue, rule.flags & UInt16(EM_RULE_RETYPES) != 0 {
                        if let type = rules.retyping(rule) { scratch.addType(type) }
                    } else if isTrue {
                        let flags = catalogue.element(Int(rule.signature), as: em_signature.self)?.flags ?? 0
                        scratch.add(
                            Match(
                                kind: kind, signature: Int(rule.signature),
                                offset: rules.firstOffset(rule, scratch.hits)),
                            flags: flags)
                    }
                    return outcome == .complete && (all || !scratch.isDecided)
                }
                return isWhole ? outcome : .failed
            }
        }
    }

    /// Rules evaluated between two budget checks.
    private static let rulesBetweenChecks = 256

    private func matchDigests(
        _ object: ByteView, in set: HashSet, all: Bool, scratch: Scratch, check: () -> Bool
    ) -> MatchOutcome {
        let wanted = set.sizes.algorithms(size: object.count)
        func isWanted(_ table: HashTable) -> Bool { wanted & (1 << table.algorithm) != 0 && table.count > 0 }
        var pair: DigestPair?
        if DigestPair.isQuick,
            set.tables.contains(where: { $0.algorithm == EM_HASH_MD5 && isWanted($0) }),
            set.tables.contains(where: { $0.algorithm == EM_HASH_SHA256 && isWanted($0) })
        {
            pair = DigestPair(object, check: check)
            guard pair != nil else { return .cancelled }
        }
        for table in set.tables where isWanted(table) {
            func find(_ digest: UnsafeRawPointer) {
                table.find(digest, size: object.count) { signature in
                    let flags = catalogue.element(signature, as: em_signature.self)?.flags ?? 0
                    scratch.add(Match(kind: .digest, signature: signature, offset: 0), flags: flags)
                    return all || !scratch.isDecided
                }
            }
            if pair?.with(algorithm: table.algorithm, find) != true {
                let outcome = scratch.digests.with(object, algorithm: table.algorithm, check: check, find)
                if outcome != .complete { return outcome }
            }
            if !all, scratch.isDecided { return .complete }
        }
        return .complete
    }

    /// Digests of parts of a Windows program.
    private func matchProgram(_ object: ByteView, all: Bool, scratch: Scratch, check: () -> Bool) -> MatchOutcome {
        programHashes.match(object, digests: scratch.digests, check: check) { signature, offset in
            let flags = catalogue.element(signature, as: em_signature.self)?.flags ?? 0
            if !scratch.matches.contains(where: { $0.signature == signature }) {
                scratch.add(Match(kind: .digest, signature: signature, offset: offset), flags: flags)
            }
            return all || !scratch.isDecided
        }
    }

    /// `allowed` when the list of false positives has the object, `complete` when it has not.
    private func isAllowed(_ object: ByteView, scratch: Scratch, check: () -> Bool) -> MatchOutcome {
        let wanted = allowed.sizes.algorithms(size: object.count)
        var found = false
        for table in allowed.tables where wanted & (1 << table.algorithm) != 0 && table.count > 0 {
            let outcome = scratch.digests.with(object, algorithm: table.algorithm, check: check) { digest in
                table.find(digest, size: object.count) { _ in
                    found = true
                    return false
                }
            }
            if outcome != .complete { return outcome }
            if found { return .allowed }
        }
        return .complete
    }
}
