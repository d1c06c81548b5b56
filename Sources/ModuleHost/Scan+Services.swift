import Bytes
import CModuleABI
import ScanProtocol

// What modules do to a scan through the host's services.
extension Scan {
    /// The scan behind a handle that modules hold.
    static func of(_ handle: OpaquePointer?) -> Scan? {
        guard let handle else { return nil }
        return Unmanaged<Scan>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue()
    }

    func temporary(_ handle: OpaquePointer?) -> TemporaryFile? {
        temporaries.first { OpaquePointer(Unmanaged.passUnretained($0).toOpaque()) == handle }
    }

    func limitMet(_ kind: UInt32, object: UInt64) {
        if object >= 1, object <= UInt64(records.count) {
            records[Int(object) - 1].flags |= EM_OBJECT_OVER_LIMIT
        }
        findings.add(Finding(kind: .notScanned, name: "limit: \(budget.name(kind))", object: object))
    }

    func submit(_ child: inout em_object, of parent: em_object) -> em_status {
        guard child.data.ptr != nil || child.data.len == 0, parent.id >= 1, parent.id <= UInt64(records.count)
        else {
            return EM_E_ARGUMENT
        }
        let status = budget.check()
        guard status == EM_OK else { return status }
        let depth = records[Int(parent.id) - 1].depth + 1
        let inPlace = child.flags & EM_OBJECT_IN_PLACE != 0
        if let limit = budget.accept(size: child.data.len, depth: depth, inPlace: inPlace) {
            records[Int(parent.id) - 1].flags |= EM_OBJECT_OVER_LIMIT
            findings.add(Finding(kind: .notScanned, name: "limit: \(limit)", object: parent.id))
            return EM_E_LIMIT
        }
        let name = names.copy(child.name)
        let declared = names.copy(child.declared)
        let format = names.copy(child.format)
        records.append(
            ObjectRecord(
                parent: parent.id, offset: child.offset, extent: child.extent, size: child.data.len, depth: depth,
                type: child.type, flags: child.flags, name: name, format: format))
        child.id = UInt64(records.count)
        child.parent = parent.id
        child.depth = depth
        child.name = em_slice(name)
        child.declared = em_slice(declared)
        child.format = em_slice(format)
        submitted.append(child)
        return EM_OK
    }

    func take() -> em_object? {
        guard taken < submitted.count else {
            submitted.removeAll(keepingCapacity: true)
            taken = 0
            return nil
        }
        taken += 1
        return submitted[taken - 1]
    }

    func report(_ finding: em_finding) -> em_status {
        guard finding.struct_size >= UInt32(MemoryLayout<em_finding>.size),
            let kind = Finding.Kind(rawValue: finding.kind), finding.object <= UInt64(records.count)
        else {
            return EM_E_ARGUMENT
        }
        findings.add(
            Finding(
                kind: kind, name: printable(ByteView(finding.name)), source: printable(ByteView(finding.source)),
                object: max(1, finding.object), offset: finding.offset == .max ? nil : finding.offset,
                score: kind == .spam ? Double(finding.score) / 1_000 : Double(finding.score)))
        return EM_OK
    }

    private static let maximumQuestions = 64
    private static let maximumKey = 512
    private static let maximumAnswer = 65_535

    /// The questions lie as far apart as their own struct_size says: a newer module's may be longer than ours.
    func ask(_ questions: UnsafePointer<em_question>, _ count: Int) -> em_status {
        guard count <= Self.maximumQuestions else { return EM_E_LIMIT }
        let stride = Int(questions.pointee.struct_size)
        guard stride >= MemoryLayout<em_question>.stride, stride % 8 == 0 else { return EM_E_ARGUMENT }
        var missing = false
        for index in 0..<count {
            let raw = UnsafeRawPointer(questions).load(fromByteOffset: index * stride, as: em_question.self)
            guard raw.key.len <= UInt64(Self.maximumKey) else { return EM_E_ARGUMENT }
            let question = Question(kind: Question.Kind(rawValue: raw.kind), key: ByteView(raw.key).array)
            if answers[question] != nil { continue }
            missing = true
            guard !asked.contains(question) else { continue }
            guard asked.count < Self.maximumQuestions else { return EM_E_LIMIT }
            asked.append(question)
        }
        return missing ? EM_SUSPENDED : EM_OK
    }

    func answer(_ raw: em_question, _ out: inout em_answer) -> em_status {
        let question = Question(kind: Question.Kind(rawValue: raw.kind), key: ByteView(raw.key).array)
        guard let answer = answers[question] else { return EM_E_STATE }
        out.result = answer.result.rawValue
        let text =
            answerTexts[question]
            ?? answer.text.withUnsafeBufferPointer { names.copy(whole: ByteView($0).prefix(Self.maximumAnswer)) }
        answerTexts[question] = text
        out.text = em_slice(text)
        return EM_OK
    }
}
