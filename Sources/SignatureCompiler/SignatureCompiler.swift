import Bytes
import CModuleABI
package import DataModule
import YARA

/// Compiles files of signatures into the database of em002.
///
/// Pure: bytes in, sections out. A line that cannot be used is reported and left out, the rest compiles. Time and
/// memory grow linearly with the input, and the same input gives the same bytes.
package enum SignatureCompiler {
    /// The functionality level that lines with engine levels are measured by: that of ClamAV 1.4.
    package static let level: UInt64 = 216

    /// - Parameters:
    ///   - files: in any order; those of false positives and ignore lists count for all.
    ///   - version: of the content, rising.
    ///   - listsAll: the report has every line that cannot be used, and not only the first thousand.
    ///   - progress: called before each file with its index and name.
    /// - Returns: the database, and what became of each line.
    /// - Throws: `DataModuleError` when a table grows beyond what the format can address.
    package static func compile(
        _ files: [SignatureFile], version: UInt64, listsAll: Bool = false, progress: (Int, String) -> Void = { _, _ in }
    ) throws(DataModuleError) -> (database: CompiledDatabase, report: CompileReport) {
        var compilation = Compilation(ruleFiles: YARAFiles(files.filter { $0.format == .rules }))
        if listsAll { compilation.report.listed = .max }
        var done = 0
        for isIgnoreList in [true, false] {
            for file in files where (file.format == .ignored) == isIgnoreList {
                progress(done, file.name)
                done += 1
                let earlier = compilation.report
                if isIgnoreList { compilation.addIgnoreList(file) } else { try compilation.add(file) }
                compilation.report.endFile(file.name, since: earlier)
            }
        }
        let sections = try compilation.finish()
        let database = CompiledDatabase(
            kind: EM_DATABASE_SIGNATURES, format: EM_SIGNATURE_FORMAT, version: version,
            signatures: UInt64(compilation.report.signatures), sections: sections)
        return (database, compilation.report)
    }
}

/// The state of one compilation.
private struct Compilation {
    let ruleFiles: YARAFiles
    var report = CompileReport()
    private var catalogue = Catalogue()
    private var ignored = IgnoreList()
    private var hashes = HashSetBuilder(firstSection: EM_SECTION_HASH_SIZES)
    private var allowed = HashSetBuilder(firstSection: EM_SECTION_ALLOW_SIZES)
    private var sectionHashes = HashSetBuilder(firstSection: EM_SECTION_PE_SIZES)
    private var importHashes = HashSetBuilder(firstSection: EM_SECTION_IMPORT_SIZES)
    private var certificates = CertificateTable()
    private var icons = IconTable()
    private var patterns = PatternTable()
    private var rules = RuleTable()
    private var yara = YARARules()
    private var metadata = MetadataTable()

    init(ruleFiles: YARAFiles) {
        self.ruleFiles = ruleFiles
    }

    mutating func addIgnoreList(_ file: SignatureFile) {
        var lines = Lines(file.bytes)
        while let line = lines.read() {
            do throws(LineError) {
                try ignored.add(line)
            } catch {
                report.add(error, file: file.name, line: lines.number)
            }
        }
    }

    mutating func add(_ file: SignatureFile) throws(DataModuleError) {
        switch file.format {
        case .none, .ignored: return
        case .unknown:
            report.add(.unsupported("a file of an unknown format"), file: file.name, line: 0)
            return
        case .program(let what):
            report.add(.unsupported(what), file: file.name, line: 0)
            return
        case .rules:
            try addRules(file)
            return
        case .hashes, .sectionHashes, .importHashes, .certificates, .icons, .bodies, .logical, .allowed, .containers,
            .links, .fileTypes, .passwords:
            break
        }
        try catalogue.beginSource(file.name)
        var lines = Lines(file.bytes)
        while let line = lines.read() {
            var rejected: LineError?
            var fatal: DataModuleError?
            do throws(LineError) {
                fatal = try add(line, number: lines.number, format: file.format)
            } catch { rejected = error }
            if let fatal { throw fatal }
            if let rejected { report.add(rejected, file: file.name, line: lines.number) }
        }
    }

    /// Adds the rules of a file that no other file includes.
    private mutating func addRules(_ file: SignatureFile) throws(DataModuleError) {
        guard !ruleFiles.isIncluded(file.name) else { return }
        try catalogue.beginSource(file.name)
        let (checked, errors) = ruleFiles.rules(of: file)
        for error in errors {
            report.add(LineError(error), file: error.place.file, line: error.place.line, column: error.place.column)
        }
        // What is called back works on copies of its own, taken out so that nothing is copied.
        var (names, counts) = (catalogue, report)
        (catalogue, report) = (Catalogue(), CompileReport())
        defer { (catalogue, report) = (names, counts) }
        let ignored = ignored
        try yara.add(
            checked, rules: &rules, patterns: &patterns,
            enter: { rule throws(DataModuleError) in
                let name = Array(rule.name.utf8)
                return try name.withUnsafeBufferPointer { buffer throws(DataModuleError) -> UInt32? in
                    if !ignored.isEmpty, ignored.contains(ByteView(buffer), line: ByteView(buffer)) {
                        counts.ignored += 1
                        return nil
                    }
                    counts.signatures += 1
                    counts.rules += 1
                    return try names.add(ByteView(buffer), line: rule.place.line, flags: 0)
                }
            },
            reject: { rule, reason in
                counts.add(reason, file: rule.place.file, line: rule.place.line, column: rule.place.column)
            })
    }

    /// Adds a line; returns what makes going on pointless.
    private mutating func add(
        _ line: ByteView, number: Int, format: SignatureFile.Format
    ) throws(LineError) -> DataModuleError? {
        switch format {
        case .hashes(let flags):
            let hash = try HashLine(line)
            return enter(hash.name, line, number, flags) { state, signature in
                do throws(DataModuleError) {
                    try state.hashes.add(hash, signature: signature)
                } catch { return error }
                return nil
            }
        case .sectionHashes(let flags):
            let hash = try SectionHashLine(line)
            return enter(hash.name, line, number, flags) { state, signature in
                do throws(DataModuleError) {
                    try state.sectionHashes.add(hash.digest, size: hash.size, signature: signature)
                } catch { return error }
                return nil
            }
        case .importHashes:
            let hash = try HashLine(line)
            return enter(hash.name, line, number, 0) { state, signature in
                do throws(DataModuleError) {
                    try state.importHashes.add(hash, signature: signature)
                } catch { return error }
                return nil
            }
        case .icons:
            let icon = try IconLine(line)
            return enter(icon.name, line, number, 0) { state, _ in
                state.icons.add(icon)
                return nil
            }
        case .certificates:
            let certificate = try CertificateLine(line)
            return enter(certificate.name, line, number, 0) { state, signature in
                state.certificates.add(certificate, signature: signature)
                return nil
            }
        case .allowed:
            let hash = try HashLine(line)
            return enter(hash.name, line, number, 0) { state, signature in
                do throws(DataModuleError) {
                    try state.allowed.add(hash, signature: signature)
                } catch { return error }
                state.report.allowed += 1
                return nil
            }
        case .bodies(let flags):
            let body = try BodyLine(line)
            guard PatternTable.isFindable(body.pattern, at: body.place) else {
                throw .unsupported("no two bytes without wildcards together")
            }
            return enter(body.name, line, number, flags) { state, signature in
                do throws(DataModuleError) {
                    try state.add(body, signature: signature)
                } catch { return error }
                state.report.patterns += 1
                return nil
            }
        case .logical(let flags):
            let logical = try LogicalLine(line)
            if let obstacle = RuleTable.obstacle(logical) { throw obstacle }
            return enter(logical.name, line, number, flags) { state, signature in
                do throws(DataModuleError) {
                    try state.rules.add(logical, signature: signature, patterns: &state.patterns)
                } catch { return error }
                state.report.rules += 1
                return nil
            }
        case .containers:
            let entry = try ContainerLine(line)
            return enter(entry.name, line, number, 0) { state, signature in
                do throws(DataModuleError) {
                    try state.metadata.add(entry, signature: signature)
                } catch { return error }
                return nil
            }
        case .links(let kind):
            let link = try LinkLine(line, kind)
            return enter(link.name, line, number, 0) { state, signature in
                do throws(DataModuleError) {
                    try state.metadata.add(link, signature: signature)
                } catch { return error }
                return nil
            }
        case .passwords:
            let password = try PasswordLine(line)
            return enter(password.name, line, number, 0) { state, signature in
                do throws(DataModuleError) {
                    try state.metadata.add(password, signature: signature)
                } catch { return error }
                return nil
            }
        case .fileTypes:
            let type = try FileTypeLine(line)
            do throws(DataModuleError) {
                try metadata.add(type)
            } catch { return error }
            return nil
        default: return nil
        }
    }

    private mutating func add(_ body: BodyLine, signature: UInt32) throws(DataModuleError) {
        guard let group = body.place.macroGroup else { return try patterns.add(body, signature: signature) }
        let slot = try rules.macroSlot(group, target: body.target)
        try patterns.add(body.pattern, at: .anywhere, target: body.target, slot: slot, lastPart: false)
    }

    /// Gives a signature its number, unless it is ignored.
    private mutating func enter(
        _ name: ByteView, _ line: ByteView, _ number: Int, _ flags: UInt32,
        _ body: (inout Compilation, UInt32) -> DataModuleError?
    ) -> DataModuleError? {
        if !ignored.isEmpty, ignored.contains(name, line: line) {
            report.ignored += 1
            return nil
        }
        do throws(DataModuleError) {
            let signature = try catalogue.add(name, line: number, flags: flags)
            report.signatures += 1
            return body(&self, signature)
        } catch { return error }
    }

    mutating func finish() throws(DataModuleError) -> [DatabaseSection] {
        let choices = patterns.chooseAnchors()
        let costs = choices.map { $0.cost }
        var anchors = choices.map { $0.anchor }
        let (sieves, triggers) = patterns.gatherAnchors(&anchors, rules.plan(patterns.patterns, costs: costs))
        let plan = rules.plan(patterns.patterns, costs: costs, preferred: triggers)
        var indexes = IndexBuilder(
            patterns, anchors: anchors, sieves: sieves, isDeferred: plan.isDeferred, isOfRules: plan.isOfRules)
        return try catalogue.finish() + hashes.finish() + allowed.finish() + sectionHashes.finish()
            + importHashes.finish() + certificates.finish() + icons.finish() + patterns.finish() + indexes.finish()
            + rules.finish(plan) + yara.finish() + metadata.finish()
    }
}
