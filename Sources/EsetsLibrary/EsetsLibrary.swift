public import CEsets
import Glibc
import Platform
import ScanClient
import ScanProtocol

// The functions of esets.h; the header documents them.

@c @implementation
public func esets_open(
    _ configuration: UnsafePointer<esets_configuration>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> CInt {
    guard let out else { return ESETS_E_ARGUMENT }
    var given = esets_configuration()
    if let configuration {
        guard Int(configuration.pointee.struct_size) >= MemoryLayout<esets_configuration>.size else {
            return ESETS_E_ARGUMENT
        }
        given = configuration.pointee
    }
    let handle = Handle(
        socket: text(given.socket_path) ?? "/tmp/esets.sock", agent: text(given.agent) ?? "libesets",
        directory: text(given.work_dir) ?? "/tmp",
        patience: .milliseconds(given.patience == 0 ? 30_000 : Int64(given.patience)))
    out.pointee = OpaquePointer(Unmanaged.passRetained(handle).toOpaque())
    return ESETS_OK
}

@c @implementation
public func esets_close(_ handle: OpaquePointer?) {
    if let handle { Unmanaged<Handle>.fromOpaque(UnsafeRawPointer(handle)).release() }
}

@c @implementation
public func esets_message(_ handle: OpaquePointer?) -> UnsafePointer<CChar>? {
    Handle.from(handle)?.message.map { UnsafePointer($0) }
}

@c @implementation
public func esets_scan_fd(
    _ handle: OpaquePointer?, _ fd: CInt, _ size: UInt64, _ facts: UnsafePointer<esets_facts>?,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> CInt {
    scan(handle, facts, out) { (_, name) throws(SystemError) in
        let copy = Descriptor(owning: try checked("dup") { fcntl(fd, F_DUPFD_CLOEXEC, 3) })
        return ScanObject(descriptor: copy, size: size, name: name)
    }
}

@c @implementation
public func esets_scan_buffer(
    _ handle: OpaquePointer?, _ bytes: UnsafeRawPointer?, _ length: Int, _ facts: UnsafePointer<esets_facts>?,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> CInt {
    guard length >= 0, bytes != nil || length == 0 else { return ESETS_E_ARGUMENT }
    let buffer = UnsafeRawBufferPointer(start: bytes, count: length)
    return scan(handle, facts, out) { (handle, name) throws(SystemError) in
        try ScanObject(bytes: buffer, name: name, directory: handle.directory)
    }
}

private func scan(
    _ pointer: OpaquePointer?, _ facts: UnsafePointer<esets_facts>?, _ out: UnsafeMutablePointer<OpaquePointer?>?,
    _ makeObject: (Handle, String) throws(SystemError) -> ScanObject
) -> CInt {
    guard let handle = Handle.from(pointer), let out else { return ESETS_E_ARGUMENT }
    out.pointee = nil
    guard facts.map({ Int($0.pointee.struct_size) >= MemoryLayout<esets_facts>.size }) ?? true else {
        handle.say("esets_facts.struct_size is too small")
        return ESETS_E_ARGUMENT
    }
    let request = Request(facts?.pointee, agent: handle.agent)
    let object: ScanObject
    do throws(SystemError) { object = try makeObject(handle, request.name) } catch {
        handle.say(error.description)
        return ESETS_E_UNREADABLE
    }
    do throws(ScanClientError) {
        let verdict = try handle.connection.scan(object, options: request.options, envelope: request.envelope)
        out.pointee = OpaquePointer(Unmanaged.passRetained(VerdictHandle(verdict)).toOpaque())
        handle.say("")
        return ESETS_OK
    } catch {
        handle.say(error.message)
        return error.status
    }
}

/// The facts of a C caller, as the client takes them.
private struct Request {
    var name = ""
    var options = ScanOptions()
    var envelope: ScanEnvelope

    init(_ facts: esets_facts?, agent: String) {
        envelope = ScanEnvelope(agent: agent)
        guard let facts else { return }
        name = text(facts.name) ?? ""
        envelope.sender = text(facts.sender)
        envelope.clientAddress = text(facts.client_address)
        envelope.helo = text(facts.helo)
        if let recipients = facts.recipients {
            envelope.recipients = (0..<Int(facts.recipient_count)).compactMap { text(recipients[$0]) }
        }
        guard let list = facts.options else { return }
        for index in 0..<Int(facts.option_count) {
            guard let name = text(list[index].name) else { continue }
            if let value = text(list[index].text) {
                options.texts[name] = value
            } else {
                options.numbers[name] = list[index].number
            }
        }
    }
}
