import CElf

#if MODULE_WORLD
    import BytesE
#else
    import Bytes
#endif

/// What a code module must be: position-independent, hardened, with one entry.
enum CodeRules {
    static func check(_ image: Image) throws(Refusal) {
        var stacks = 0
        for segment in image.segments {
            if segment.isWritable && segment.isExecutable {
                throw Refusal("segments", "memory that is both writable and executable")
            }
            if segment.type == UInt32(PT_GNU_STACK) && !segment.isExecutable { stacks += 1 }
        }
        // Without this header the stacks of the whole process become executable.
        guard stacks > 0 else { throw Refusal("segments", "a module that does not say what stack it needs") }
        if image.value(of: Int64(DT_TEXTREL)) != nil { throw Refusal("dynamic", "relocations in its code") }
        guard let flags = image.value(of: Int64(DT_FLAGS_1)), flags & UInt64(DF_1_NOW) != 0 else {
            throw Refusal("dynamic", "not linked with -z now")
        }
        for entry in image.dynamic where entry.tag == Int64(DT_RPATH) || entry.tag == Int64(DT_RUNPATH) {
            // Build tools add the module's own directory, which root owns and which holds modules alone.
            guard image.string(entry.value)?.equals(ByteView("$ORIGIN")) == true else {
                throw Refusal("dynamic", "a search path for libraries inside the module")
            }
        }
    }
}
