import BytesE
import CModuleABI
import ModuleKit

/// A module for tests: an object is text, its children are what stands in round brackets, their names are
/// what stands before the first bracket inside. It notes when it enters and leaves objects, and asks a question
/// when the option "test.ask" is set. With "test.begin" its analysis cannot begin, and with "test.next" its containers
/// cannot go on: the options are the status.
func bracketModule() -> UnsafePointer<em_module>? { address(ofGlobal: &module) }

final class BracketInstance {
    let services: HostServices
    init(_ services: HostServices) { self.services = services }
}

final class BracketCursor {
    let scan: ScanContext
    let object: UnsafePointer<em_object>
    var offset = 0
    init(_ scan: ScanContext, _ object: UnsafePointer<em_object>) {
        self.scan = scan
        self.object = object
    }

    func next() -> em_status {
        let data = ByteView(object.pointee.data)
        guard let open = data.firstIndex(of: 0x28, from: offset) else { return EM_END }
        let status = em_status(scan.number("test.next", otherwise: 0))
        guard status == EM_OK else { return status }
        var level = 0
        var end = open
        repeat {
            if data[end] == 0x28 { level += 1 }
            if data[end] == 0x29 { level -= 1 }
            end += 1
        } while level > 0 && end < data.count
        offset = end
        let inner = data.slice(open + 1, end - 1)
        var child = em_object()
        child.data = inner.slice
        child.name = inner.prefix(inner.firstIndex(of: 0x28) ?? inner.count).slice
        child.format = slice("BRACKET")
        child.offset = UInt64(open + 1)
        child.extent = UInt64(inner.count)
        child.flags = EM_OBJECT_IN_PLACE
        if scan.number("test.small", otherwise: 0) != 0 {
            // What a module of before the first release might have.
            child.struct_size = 96
            return scan.services.submit.pointee.submit(scan.handle, object, &child)
        }
        do throws(ModuleError) {
            try scan.submit(&child, of: object)
            return EM_OK
        } catch {
            return error.status == EM_E_LIMIT ? EM_OK : error.status
        }
    }
}

final class BracketAnalysis {
    let scan: ScanContext
    init(_ scan: ScanContext) { self.scan = scan }

    func object(_ object: em_object, _ phase: UInt32) -> em_status {
        if scan.number("test.apart", otherwise: 0) != 0 { return phase == EM_PHASE_LEAVE ? askApart() : EM_OK }
        let key = scan.text("test.ask").array
        if !key.isEmpty && object.id == 1 && phase == EM_PHASE_LEAVE {
            do throws(ModuleError) {
                guard try scan.ask([(kind: EM_ASK_DNS_A, key: key)]) else { return EM_SUSPENDED }
                let answer = try scan.answer(kind: EM_ASK_DNS_A, key: key)
                if answer.text.count > 256 {
                    let digits = Array(String(answer.text.count).utf8) + ByteView(" bytes").array
                    digits.withUnsafeBufferPointer { note("", ByteView($0), object.id) }
                } else {
                    note("answer ", answer.text, object.id)
                }
            } catch {
                return error.status
            }
        } else if key.isEmpty {
            note(phase == EM_PHASE_ENTER ? "enter " : "leave ", ByteView(object.name), object.id)
        }
        return EM_OK
    }

    /// Asks two questions of a module that was compiled with a longer em_question than the host's.
    private func askApart() -> em_status {
        let host = scan.services.host
        guard let table = host.pointee.service(host, cString("em.host.ask/1")) else { return EM_E_STATE }
        let apart = 32
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 2 * apart, alignment: 8)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0xff, count: 2 * apart)
        for (index, key) in [slice("a"), slice("b")].enumerated() {
            let question = em_question(struct_size: UInt32(apart), kind: EM_ASK_DNS_A, key: key)
            memory.storeBytes(of: question, toByteOffset: index * apart, as: em_question.self)
        }
        return table.assumingMemoryBound(to: em_host_ask_v1.self).pointee.ask(
            scan.handle, memory.assumingMemoryBound(to: em_question.self), 2)
    }

    private func note(_ word: StaticString, _ name: ByteView, _ id: UInt64) {
        var text = ByteView(word).array + name.array
        if text.last == 0x20 { text.removeLast() }
        text.withUnsafeBufferPointer { scan.report(EM_FINDING_NOTE, object: id, name: ByteView($0)) }
    }
}

nonisolated(unsafe) private var module = em_module(
    magic: EM_MODULE_MAGIC, struct_size: UInt32(MemoryLayout<em_module>.size), abi_major: 1, abi_minor: 0,
    min_host_minor: 0, flags: 0, id: cString("em100.bracket"), version: cString("1"), requires_services: nil,
    init: { host, _, out in
        guard let services = HostServices(host) else { return EM_E_STATE }
        out?.pointee = retain(BracketInstance(services))
        return EM_OK
    },
    deinit: { release(BracketInstance.self, $0) },
    interface: { _, id in
        if equals(id, "em.container/1") { return UnsafeRawPointer(address(ofGlobal: &container)) }
        if equals(id, "em.analyse/1") { return UnsafeRawPointer(address(ofGlobal: &analyse)) }
        return nil
    })

nonisolated(unsafe) private var container = em_container_v1(
    struct_size: UInt32(MemoryLayout<em_container_v1>.size), reserved: 0, formats: nil,
    identify: { _, _, object, _ in
        ByteView(object?.pointee.data ?? em_slice()).firstIndex(of: 0x28) == nil ? 0 : 100
    },
    open: { instance, scan, object, out in
        guard let instance, let scan, let object, let out else { return EM_E_ARGUMENT }
        out.pointee = retain(
            BracketCursor(ScanContext(scan, borrow(BracketInstance.self, instance).services), object))
        return EM_OK
    },
    next: { $0.map { borrow(BracketCursor.self, $0).next() } ?? EM_E_ARGUMENT },
    close: { release(BracketCursor.self, $0) })

nonisolated(unsafe) private var analyse = em_analyse_v1(
    begin: { instance, scan, out in
        guard let instance, let scan else { return EM_E_ARGUMENT }
        let context = ScanContext(scan, borrow(BracketInstance.self, instance).services)
        let status = em_status(context.number("test.begin", otherwise: 0))
        guard status == EM_OK else { return status }
        out?.pointee = retain(BracketAnalysis(context))
        return EM_OK
    },
    object: { analysis, object, _, phase in
        guard let analysis, let object else { return EM_E_ARGUMENT }
        return borrow(BracketAnalysis.self, analysis).object(object.pointee, phase)
    },
    end: { release(BracketAnalysis.self, $0) })
