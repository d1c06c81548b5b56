public import CEsets
import ScanProtocol

// The functions of esets.h that read a verdict.

@c @implementation
public func esets_verdict_free(_ verdict: OpaquePointer?) {
    if let verdict { Unmanaged<VerdictHandle>.fromOpaque(UnsafeRawPointer(verdict)).release() }
}

@c @implementation
public func esets_verdict_is_infected(_ verdict: OpaquePointer?) -> CInt {
    VerdictHandle.from(verdict)?.verdict.isInfected == true ? 1 : 0
}

@c @implementation
public func esets_verdict_is_complete(_ verdict: OpaquePointer?) -> CInt {
    VerdictHandle.from(verdict)?.verdict.notScanned.isEmpty == true ? 1 : 0
}

@c @implementation
public func esets_verdict_finding_count(_ verdict: OpaquePointer?) -> UInt32 {
    UInt32(VerdictHandle.from(verdict)?.verdict.findings.count ?? 0)
}

@c @implementation
public func esets_verdict_finding(
    _ verdict: OpaquePointer?, _ index: UInt32, _ out: UnsafeMutablePointer<esets_finding>?
) -> CInt {
    guard let handle = VerdictHandle.from(verdict), let out,
        Int(out.pointee.struct_size) >= MemoryLayout<esets_finding>.size
    else { return ESETS_E_ARGUMENT }
    guard index < handle.verdict.findings.count else { return ESETS_E_RANGE }
    let finding = handle.verdict.findings[Int(index)]
    let texts = handle.texts[Int(index)]
    out.pointee.kind = finding.kind.rawValue
    out.pointee.name = texts.name.map { UnsafePointer($0) }
    out.pointee.source = texts.source.map { UnsafePointer($0) }
    out.pointee.object = texts.object.map { UnsafePointer($0) }
    out.pointee.score = finding.score
    out.pointee.is_threat = finding.isThreat ? 1 : 0
    out.pointee.reserved = 0
    return ESETS_OK
}

@c @implementation
public func esets_verdict_spam_score(
    _ verdict: OpaquePointer?, _ score: UnsafeMutablePointer<Double>?
) -> CInt {
    guard let points = VerdictHandle.from(verdict)?.verdict.spamScore else { return 0 }
    score?.pointee = points
    return 1
}

@c @implementation
public func esets_verdict_database(_ verdict: OpaquePointer?) -> UInt64 {
    VerdictHandle.from(verdict)?.verdict.databaseVersion ?? 0
}

@c @implementation
public func esets_verdict_object_count(_ verdict: OpaquePointer?) -> UInt32 {
    VerdictHandle.from(verdict)?.verdict.objectCount ?? 0
}
