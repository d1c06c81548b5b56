import Bytes
import CLinux
import CModuleABI
import Glibc
import Platform
import ScanProtocol

/// The host's services, looked up by id. The tables live as long as the process.
enum HostServices {
    /// The table of a service; nil when this host has none of that id.
    static func table(_ id: UnsafePointer<CChar>) -> UnsafeRawPointer? {
        for entry in tables where strcmp(entry.id, id) == 0 { return entry.table }
        return nil
    }

    private nonisolated(unsafe) static let tables: [(id: UnsafePointer<CChar>, table: UnsafeRawPointer)] = [
        entry("em.host.log/1", log), entry("em.host.memory/1", memory), entry("em.host.budget/1", budget),
        entry("em.host.submit/1", submit), entry("em.host.report/1", report), entry("em.host.option/1", option),
        entry("em.host.module/1", module), entry("em.host.data/1", data), entry("em.host.ask/1", ask),
        entry("em.host.tempfile/1", tempfile), entry("em.host.metrics/1", metrics),
    ]

    private static func entry<T>(_ id: StaticString, _ table: T) -> (UnsafePointer<CChar>, UnsafeRawPointer) {
        let place = UnsafeMutablePointer<T>.allocate(capacity: 1)
        place.initialize(to: table)
        return (UnsafeRawPointer(id.utf8Start).assumingMemoryBound(to: CChar.self), UnsafeRawPointer(place))
    }

    // MARK: Generation-wide services

    private static var log: em_host_log_v1 {
        em_host_log_v1(write: { host, level, text in
            guard let context = HostContext.of(host) else { return }
            context.write(level, printable(ByteView(text), limit: 1_000))
        })
    }

    private static var module: em_host_module_v1 {
        em_host_module_v1(provider: { host, interface, index, out in
            guard let context = HostContext.of(host), let interface, let out else { return EM_E_ARGUMENT }
            guard let found = context.generation?.provider(of: interface, at: Int(index)) else { return EM_END }
            out.pointee.module_id = found.id
            out.pointee.instance = found.instance
            out.pointee.table = found.table
            return EM_OK
        })
    }

    private static var data: em_host_data_v1 {
        em_host_data_v1(find: { host, file, out in
            guard let context = HostContext.of(host), let file, let out else { return EM_E_ARGUMENT }
            guard let data = context.generation?.dataModule(file) else { return EM_E_DATA }
            out.pointee = em_slice(data)
            return EM_OK
        })
    }

    private static var metrics: em_host_metrics_v1 {
        em_host_metrics_v1(add: { host, name, amount in
            guard let context = HostContext.of(host), let name else { return }
            context.count(name, amount)
        })
    }

    // MARK: Services of one scan

    private static var memory: em_host_memory_v1 {
        em_host_memory_v1(
            alloc: { scan, size in Scan.of(scan)?.arena.allocate(Int(clamping: size)) },
            resize: { scan, pointer, size in
                guard let scan = Scan.of(scan), let pointer else { return EM_E_ARGUMENT }
                switch scan.arena.resize(pointer, to: Int(clamping: size)) {
                case .done: return EM_OK
                case .notNewest: return EM_E_ARGUMENT
                case .full: return EM_E_MEMORY
                }
            },
            mark: { scan in UInt64(Scan.of(scan)?.arena.used ?? 0) },
            release: { scan, mark in Scan.of(scan)?.arena.release(Int(clamping: mark)) })
    }

    private static var budget: em_host_budget_v1 {
        em_host_budget_v1(
            check: { scan in Scan.of(scan)?.budget.check() ?? EM_E_ARGUMENT },
            left: { scan, object, kind in
                guard let scan = Scan.of(scan) else { return 0 }
                return scan.budget.left(kind, depth: object?.pointee.depth ?? 0, memory: scan.arena.left)
            },
            exceeded: { scan, object, kind in
                Scan.of(scan)?.limitMet(kind, object: object?.pointee.id ?? 1)
            })
    }

    private static var submit: em_host_submit_v1 {
        em_host_submit_v1(
            submit: { scan, parent, child in
                guard let scan = Scan.of(scan), let parent, let child else { return EM_E_ARGUMENT }
                guard var copy = readObject(child) else { return EM_E_ARGUMENT }
                let status = scan.submit(&copy, of: parent.pointee)
                if status == EM_OK { writeObject(copy, to: child) }
                return status
            },
            take: { scan, out in
                guard let scan = Scan.of(scan), let out, out.pointee.struct_size >= smallestObject else {
                    return EM_E_ARGUMENT
                }
                guard let object = scan.take() else { return EM_END }
                writeObject(object, to: out)
                return EM_OK
            })
    }

    private static var report: em_host_report_v1 {
        em_host_report_v1(
            finding: { scan, finding in
                guard let scan = Scan.of(scan), let finding else { return EM_E_ARGUMENT }
                return scan.report(finding.pointee)
            },
            object: { scan, id, type, flags in
                guard let scan = Scan.of(scan), id >= 1, id <= UInt64(scan.records.count) else { return EM_E_ARGUMENT }
                if type != EM_TYPE_UNKNOWN { scan.records[Int(id) - 1].type = type }
                scan.records[Int(id) - 1].flags |= flags
                return EM_OK
            })
    }

    private static var option: em_host_option_v1 {
        em_host_option_v1(
            number: { scan, name, otherwise in
                guard let scan = Scan.of(scan), let name else { return otherwise }
                return scan.options.number(name, otherwise: otherwise)
            },
            text: { scan, name in
                guard let scan = Scan.of(scan), let name else { return em_slice() }
                return em_slice(scan.options.text(name))
            })
    }

    private static var ask: em_host_ask_v1 {
        em_host_ask_v1(
            ask: { scan, questions, count in
                guard let scan = Scan.of(scan), let questions, count > 0 else { return EM_E_ARGUMENT }
                return scan.ask(questions, Int(count))
            },
            answer: { scan, question, out in
                guard let scan = Scan.of(scan), let question, let out else { return EM_E_ARGUMENT }
                return scan.answer(question.pointee, &out.pointee)
            })
    }

    private static var tempfile: em_host_tempfile_v1 {
        em_host_tempfile_v1(
            create: { scan, out in
                guard let scan = Scan.of(scan), let out else { return EM_E_ARGUMENT }
                guard let file = try? TemporaryFile() else { return EM_E_MEMORY }
                scan.temporaries.append(file)
                out.pointee = OpaquePointer(Unmanaged.passUnretained(file).toOpaque())
                return EM_OK
            },
            append: { scan, file, bytes in
                guard let scan = Scan.of(scan), let file = scan.temporary(file) else { return EM_E_ARGUMENT }
                let held = scan.temporaries.reduce(0) { $0 + $1.size }
                let limit = scan.budget.limits.totalSize
                guard bytes.len <= limit - min(limit, held) else { return EM_E_LIMIT }
                guard let open = try? file.append(ByteView(bytes)) else { return EM_E_MEMORY }
                return open ? EM_OK : EM_E_STATE
            },
            map: { scan, file, out in
                guard let file = Scan.of(scan)?.temporary(file), let out else { return EM_E_ARGUMENT }
                guard let bytes = try? file.map() else { return EM_E_MEMORY }
                out.pointee = em_slice(bytes)
                return EM_OK
            },
            close: { scan, file in
                guard let scan = Scan.of(scan), let file = scan.temporary(file) else { return }
                scan.temporaries.removeAll { $0 === file }
            })
    }
}

extension ByteView {
    init(_ slice: em_slice) {
        self.init(base: slice.ptr, count: Int(clamping: slice.len))
    }
}

extension em_slice {
    init(_ view: ByteView) {
        self.init(ptr: view.buffer.baseAddress, len: UInt64(view.count))
    }
}

/// Size of an em_object of the time before members were appended.
private let smallestObject: UInt32 = 112

/// An object of a module that may know fewer of its members, or more; nil when it has not even the first ones.
private func readObject(_ object: UnsafeMutablePointer<em_object>) -> em_object? {
    let size = Int(object.pointee.struct_size)
    guard size >= Int(smallestObject) else { return nil }
    var copy = em_object()
    withUnsafeMutableBytes(of: &copy) { bytes in
        bytes.copyMemory(
            from: UnsafeRawBufferPointer(start: UnsafeRawPointer(object), count: min(size, bytes.count)))
    }
    copy.struct_size = UInt32(MemoryLayout<em_object>.size)
    return copy
}

/// Writes as many members as the module knows; its struct_size stays.
private func writeObject(_ object: em_object, to out: UnsafeMutablePointer<em_object>) {
    let size = out.pointee.struct_size
    withUnsafeBytes(of: object) { bytes in
        UnsafeMutableRawPointer(out).copyMemory(
            from: bytes.baseAddress ?? UnsafeRawPointer(out), byteCount: min(Int(size), bytes.count))
    }
    out.pointee.struct_size = size
}
