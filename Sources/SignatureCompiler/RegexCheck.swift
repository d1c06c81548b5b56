import Bytes
import CModuleABI
import CPCRE2

/// Whether PCRE2 takes a regular expression: what it refuses is a fault of the signature, not of an object.
enum RegexCheck {
    static func check(_ expression: ByteView, options: UInt32) throws(LineError) {
        if expression.hasPrefix(ByteView("(*UTF")) { throw .malformed("a regular expression that switches to UTF") }
        var code: Int32 = 0
        var offset = 0
        let compiled = pcre2_compile_8(expression.base, expression.count, flags(options), &code, &offset, nil)
        guard let compiled else { throw .malformed("a regular expression that PCRE2 refuses (error \(code))") }
        pcre2_code_free_8(compiled)
    }

    static func check(_ expression: [UInt8], options: UInt32) throws(LineError) {
        try expression.withUnsafeBufferPointer { buffer throws(LineError) in
            try check(ByteView(buffer), options: options)
        }
    }

    /// PCRE2's own flags.
    private static func flags(_ options: UInt32) -> UInt32 {
        var flags: UInt32 = 0
        if options & EM_REGEX_CASELESS != 0 { flags |= PCRE2_CASELESS }
        if options & EM_REGEX_DOTALL != 0 { flags |= PCRE2_DOTALL }
        if options & EM_REGEX_MULTILINE != 0 { flags |= PCRE2_MULTILINE }
        if options & EM_REGEX_EXTENDED != 0 { flags |= PCRE2_EXTENDED }
        if options & EM_REGEX_ANCHORED != 0 { flags |= PCRE2_ANCHORED }
        if options & EM_REGEX_DOLLAR_END != 0 { flags |= PCRE2_DOLLAR_ENDONLY }
        if options & EM_REGEX_UNGREEDY != 0 { flags |= PCRE2_UNGREEDY }
        return flags
    }
}
