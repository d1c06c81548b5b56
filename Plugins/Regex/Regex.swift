package import BytesE
import CModuleABI
import CPCRE2

/// A compiled regular expression, with machine code where the system lets programs make some.
///
/// Used by one thread at a time.
package final class Regex {
    private let code: OpaquePointer
    private let data: OpaquePointer
    private let context: OpaquePointer

    /// Backtracking steps of one search; ClamAV's own default is a tenth.
    private static let matchLimit: UInt32 = 1_000_000
    /// Memory of one search without machine code, in KiB.
    private static let heapLimit: UInt32 = 20_000

    /// How a search ended.
    package enum Outcome {
        /// Extent of the match, in the subject.
        case match(Range<Int>)
        case none
        /// It took more steps or memory than one search may.
        case limit
    }

    /// Compiles an expression; nil when PCRE2 refuses it or memory is short.
    ///
    /// - Parameters:
    ///   - expression: PCRE2's syntax, bytes as characters.
    ///   - options: EM_REGEX_…; those that are about places are not looked at.
    package init?(_ expression: ByteView, options: UInt32) {
        var error: Int32 = 0
        var offset = 0
        guard
            let code = pcre2_compile_8(
                expression.base, expression.count, Regex.flags(options), &error, &offset, nil)
        else { return nil }
        // Without machine code (the system may forbid it) matching is interpreted.
        _ = pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE)
        guard let data = pcre2_match_data_create_8(1, nil) else {
            pcre2_code_free_8(code)
            return nil
        }
        guard let context = pcre2_match_context_create_8(nil) else {
            pcre2_match_data_free_8(data)
            pcre2_code_free_8(code)
            return nil
        }
        _ = pcre2_set_match_limit_8(context, Regex.matchLimit)
        _ = pcre2_set_heap_limit_8(context, Regex.heapLimit)
        self.code = code
        self.data = data
        self.context = context
    }

    deinit {
        pcre2_match_context_free_8(context)
        pcre2_match_data_free_8(data)
        pcre2_code_free_8(code)
    }

    /// Looks for a match from `from` on; one that was compiled with EM_REGEX_ANCHORED: only there.
    package func search(_ subject: ByteView, from: Int) -> Outcome {
        guard from >= 0, from <= subject.count else { return .none }
        let result = withUnsafePointer(to: UInt8(0)) { empty in
            let subject = (base: subject.base ?? empty, count: subject.count)
            let result = pcre2_match_8(code, subject.base, subject.count, from, 0, data, context)
            guard result == PCRE2_ERROR_JIT_STACKLIMIT else { return result }
            // Long repetitions need more than the small stack of machine code; without it they have the heap.
            return pcre2_match_8(code, subject.base, subject.count, from, PCRE2_NO_JIT, data, context)
        }
        // 0 says that there are more groups than places for them: the first place is the whole match.
        if result >= 0, let places = pcre2_get_ovector_pointer_8(data) {
            let (start, end) = (Int(clamping: places[0]), Int(clamping: places[1]))
            // \K in a lookahead may put the start behind the end.
            return .match(min(start, end)..<max(start, end))
        }
        return result == PCRE2_ERROR_NOMATCH ? .none : .limit
    }

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
