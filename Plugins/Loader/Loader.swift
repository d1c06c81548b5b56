import BytesE
import CModuleABI
import ModuleKit
import VerifierE

/// em000: verifies the modules of a generation and puts them in the order in which they are loaded.
final class Loader {
    /// Verifies each file and fills in what its manifest says, and its place.
    ///
    /// Data comes first, because code reads it when it starts; code follows by file name, so em001 comes before em003,
    /// unless a manifest names modules it comes `after`.
    func plan(
        _ keys: em_slice, _ files: UnsafeMutableBufferPointer<em_file>, _ reason: Reason
    ) -> em_status {
        var entries: [Entry] = []
        for index in files.indices {
            let bytes = ByteView(files[index].bytes)
            let name = ByteView(files[index].name)
            do throws(Refusal) {
                let verified = try Verifier.verify(
                    bytes, keys: ByteView(keys), thorough: files[index].thorough != 0)
                let manifest = verified.manifest
                for other in entries where other.file.equals(manifest.file) || other.id.equals(manifest.id) {
                    throw Refusal("manifest", "another module has the same id or file")
                }
                guard name.hasPrefix(manifest.file) else {
                    throw Refusal("manifest", "the file has another name than its manifest says")
                }
                files[index].kind = manifest.kind == .data ? EM_FILE_DATA : EM_FILE_CODE
                files[index].id = manifest.id.slice
                files[index].version = manifest.version.slice
                entries.append(
                    Entry(
                        index: index, file: manifest.file, id: manifest.id, isData: manifest.kind == .data,
                        after: manifest.value("after") ?? ByteView()))
            } catch {
                reason.write(name, error)
                return EM_E_DATA
            }
        }
        guard let order = Self.order(entries) else {
            reason.write(ByteView("generation"), Refusal("order", "modules that wait for each other"))
            return EM_E_DATA
        }
        for (place, index) in order.enumerated() { files[index].order = UInt32(place) }
        return EM_OK
    }

    struct Entry {
        let index: Int
        let file: ByteView
        let id: ByteView
        let isData: Bool
        /// Ids, separated by spaces.
        let after: ByteView
    }

    /// Indexes in load order; nil when modules wait for each other.
    static func order(_ entries: [Entry]) -> [Int]? {
        var waiting = entries.sorted { left, right in
            left.isData != right.isData ? left.isData : isBefore(left.file, right.file)
        }
        var done: [Int] = []
        while !waiting.isEmpty {
            var next: Int?
            for candidate in waiting.indices where next == nil {
                var ready = true
                for other in waiting.indices where other != candidate {
                    if names(waiting[candidate].after, waiting[other].id) { ready = false }
                }
                if ready { next = candidate }
            }
            guard let next else { return nil }
            done.append(waiting.remove(at: next).index)
        }
        return done
    }

    private static func isBefore(_ left: ByteView, _ right: ByteView) -> Bool {
        for index in 0..<min(left.count, right.count) where left[index] != right[index] {
            return left[index] < right[index]
        }
        return left.count < right.count
    }

    /// Whether a list of words has one.
    static func names(_ list: ByteView, _ id: ByteView) -> Bool {
        var start = 0
        while start < list.count {
            let end = list.firstIndex(of: 0x20, from: start) ?? list.count
            if list.slice(start, end).equals(id) { return true }
            start = end + 1
        }
        return false
    }

    /// Why the loader does not work, or nil.
    static func selfTest() -> StaticString? {
        do throws(Refusal) {
            _ = try Verifier.verify(ByteView("not a module"), keys: ByteView(), thorough: true)
            return "text is taken for a module"
        } catch {
            return nil
        }
    }
}

/// Where the sentence goes that says why a generation is refused.
struct Reason {
    let buffer: UnsafeMutablePointer<UInt8>?
    let capacity: Int
    let length: UnsafeMutablePointer<UInt64>?

    /// "NAME: check: reason"
    func write(_ name: ByteView, _ refusal: Refusal) {
        let text = name.array + [0x3a, 0x20] + refusal.text
        let count = min(text.count, capacity)
        if let buffer {
            for index in 0..<count { buffer[index] = text[index] }
        }
        length?.pointee = buffer == nil ? 0 : UInt64(count)
    }
}
