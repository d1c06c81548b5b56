import CElf
import CModuleABI

#if MODULE_WORLD
    import BytesE
#else
    import Bytes
#endif

/// What a data module may be: bytes to read, and nothing that the system's loader would act upon.
enum DataRules {
    /// The dynamic tags that a data module may have; anything else is work for the loader, or code.
    private static let allowedTags: [Int64] = [
        Int64(DT_HASH), Int64(DT_STRTAB), Int64(DT_SYMTAB), Int64(DT_STRSZ), Int64(DT_SYMENT),
    ]
    /// Alignments of pages; ld.so computes with whatever stands there.
    private static let pageSizes: ClosedRange<UInt64> = 4096...(2 << 20)

    static func check(_ image: Image) throws(Refusal) {
        var loads = 0
        var stacks = 0
        for segment in image.segments {
            if segment.isWritable && segment.type != UInt32(PT_GNU_STACK) {
                throw Refusal("segments", "a data module with a writable segment")
            }
            if segment.isExecutable { throw Refusal("segments", "a data module with an executable segment") }
            switch segment.type {
            case UInt32(PT_LOAD):
                loads += 1
                // Memory beyond the file would have to be cleared, that is written, by the loader.
                guard segment.isReadable, segment.memorySize == segment.fileSize,
                    (segment.address &- segment.offset) % 4096 == 0
                else { throw Refusal("segments", "a data module with memory that is not in the file") }
                guard pageSizes.contains(segment.alignment), segment.alignment & (segment.alignment - 1) == 0 else {
                    throw Refusal("segments", "a data module with an alignment that is not one of pages")
                }
            case UInt32(PT_DYNAMIC):
                guard isInPlace(segment, image) else {
                    throw Refusal("dynamic", "the dynamic section is not where it is loaded")
                }
            case UInt32(PT_NOTE):
                // ld.so reads notes too, of properties of the processor, when they are aligned to 8.
                guard segment.alignment == 4, isInPlace(segment, image) else {
                    throw Refusal("segments", "the notes are not where they are loaded")
                }
            case UInt32(PT_GNU_STACK): stacks += 1
            case UInt32(PT_NULL): break
            default: throw Refusal("segments", "a data module with an unknown kind of segment")
            }
        }
        // ld.so maps segments over each other, and over foreign memory when they do not rise.
        guard loads == 1 else { throw Refusal("segments", "a data module that is not in one piece") }
        // Without this header the stacks of the whole process become executable.
        guard stacks > 0 else { throw Refusal("segments", "a data module that does not say what stack it needs") }
        for entry in image.dynamic {
            var allowed = false
            for tag in allowedTags where tag == entry.tag { allowed = true }
            guard allowed else { throw Refusal("dynamic", refusalOfTag(entry.tag)) }
            // ld.so takes the last one, and so there must not be two.
            var same = 0
            for other in image.dynamic where other.tag == entry.tag { same += 1 }
            guard same == 1 else { throw Refusal("dynamic", "a dynamic entry that stands there twice") }
        }
        try checkSymbols(image)
    }

    /// Whether the memory of a segment is the part of the file that it names.
    private static func isInPlace(_ segment: Image.Segment, _ image: Image) -> Bool {
        guard segment.memorySize == segment.fileSize,
            let loaded = image.loaded(segment.address, segment.fileSize)?.buffer.baseAddress
        else { return false }
        return loaded == image.bytes.slice(Int(segment.offset), image.bytes.count).buffer.baseAddress
    }

    private static func refusalOfTag(_ tag: Int64) -> StaticString {
        switch tag {
        case Int64(DT_NEEDED): "a data module that needs a library"
        case Int64(DT_INIT), Int64(DT_FINI), Int64(DT_INIT_ARRAY), Int64(DT_FINI_ARRAY), Int64(DT_PREINIT_ARRAY):
            "a data module with an initializer"
        case Int64(DT_REL), Int64(DT_RELA), Int64(DT_JMPREL), Int64(DT_TEXTREL), Int64(DT_RELR), Int64(DT_PLTRELSZ):
            "a data module with relocations"
        default: "a data module with a dynamic entry that data does not need"
        }
    }

    /// The tables that dlsym walks must be whole, because it does not check them.
    private static func checkSymbols(_ image: Image) throws(Refusal) {
        guard let hashAddress = image.value(of: Int64(DT_HASH)),
            let head = image.loaded(hashAddress, 8), let buckets = head.load(UInt32.self, at: 0),
            let chains = head.load(UInt32.self, at: 4), buckets > 0, buckets <= 16, chains <= 16,
            let table = image.loaded(hashAddress, 8 + 4 * UInt64(buckets + chains))
        else { throw Refusal("symbol", "the symbol hash table is missing or not plausible") }
        // Every chain must end: indexes below the count, and each step goes down.
        for index in 0..<Int(buckets) where (table.load(UInt32.self, at: 8 + 4 * index) ?? .max) >= chains {
            throw Refusal("symbol", "the symbol hash table points outside")
        }
        for index in 0..<Int(chains) {
            let next = table.load(UInt32.self, at: 8 + 4 * (Int(buckets) + index)) ?? .max
            guard next == 0 || next < UInt32(index) else {
                throw Refusal("symbol", "the symbol hash table has a loop")
            }
        }
        guard let strings = image.value(of: Int64(DT_STRTAB)), let size = image.value(of: Int64(DT_STRSZ)),
            let text = image.loaded(strings, size), size > 0, text[text.count - 1] == 0,
            image.value(of: Int64(DT_SYMENT)) == 24, let symbols = image.value(of: Int64(DT_SYMTAB)),
            let list = image.loaded(symbols, 24 * UInt64(chains))
        else { throw Refusal("symbol", "the symbol table is missing or not plausible") }
        var named = 0
        for index in 0..<Int(chains) {
            guard let name = list.load(UInt32.self, at: 24 * index), UInt64(name) < size else {
                throw Refusal("symbol", "a symbol's name lies outside")
            }
            // Functions that the loader would call (IFUNC), and thread-local data, have no place here. A unique
            // symbol (GNU) would hide those of the same name in every module that comes later.
            let info = list[24 * index + 4]
            guard info & 0x0f <= 1, info >> 4 <= 2 else {
                throw Refusal("symbol", "a data module with a symbol that is not an object")
            }
            if image.string(UInt64(name))?.equals(ByteView("em_module_data")) == true { named += 1 }
        }
        // dlsym may find another one than we do.
        guard named <= 1 else { throw Refusal("symbol", "more than one symbol em_module_data") }
        _ = try data(image)
    }

    /// The bytes of `em_module_data`.
    static func data(_ image: Image) throws(Refusal) -> ByteView {
        guard let hash = image.value(of: Int64(DT_HASH)), let count = image.loaded(hash, 8)?.load(UInt32.self, at: 4),
            let symbols = image.value(of: Int64(DT_SYMTAB)), let list = image.loaded(symbols, 24 * UInt64(count))
        else { throw Refusal("symbol", "no symbol table") }
        for index in 0..<Int(count) {
            guard let name = list.load(UInt32.self, at: 24 * index),
                image.string(UInt64(name))?.equals(ByteView("em_module_data")) == true
            else { continue }
            guard let section = list.load(UInt16.self, at: 24 * index + 6), section != 0, section != 0xfff1,
                let address = list.load(UInt64.self, at: 24 * index + 8),
                let size = list.load(UInt64.self, at: 24 * index + 16), size > 0,
                let bytes = image.loaded(address, size)
            else { throw Refusal("symbol", "em_module_data lies outside the file") }
            return bytes
        }
        throw Refusal("symbol", "no symbol em_module_data")
    }
}
