package import BytesE
import CFFI
package import CModuleABI

/// A function that another module offers to rules (em.function/1), called by its type string.
package struct ForeignFunction {
    private let instance: OpaquePointer?
    private let address: UnsafeMutableRawPointer
    /// EM_FUNCTION_…: letters of the result and the parameters.
    private let result: UInt8
    private let parameters: [UInt8]

    private static let parameterLimit = 8

    /// - Parameters:
    ///   - function: of the table that the module's interface "em.function/1" has.
    ///   - instance: of that module.
    /// - Returns: nil when the type string is none.
    package init?(_ function: em_function, instance: OpaquePointer?) {
        guard let text = function.type, let address = function.address else { return nil }
        var letters: [UInt8] = []
        var at = 0
        while at < 32, text[at] != 0 {
            letters.append(UInt8(bitPattern: text[at]))
            at += 1
        }
        // "i(sb)"
        guard letters.count >= 3, letters[1] == UInt8(ascii: "("), letters.last == UInt8(ascii: ")") else { return nil }
        let inner = letters[2..<(letters.count - 1)]
        guard inner.count <= Self.parameterLimit, Self.isType(letters[0]) else { return nil }
        for letter in inner where !Self.isType(letter) { return nil }
        self.instance = instance
        self.address = address
        result = letters[0]
        parameters = Array(inner)
    }

    /// The letters of the parameters.
    package func takes(_ letters: ByteView) -> Bool {
        guard letters.count == parameters.count else { return false }
        for (index, letter) in parameters.enumerated() where letters[index] != letter {
            // Integers go where numbers and truth values are wanted.
            guard letters[index] == UInt8(ascii: "i"), letter != UInt8(ascii: "s") else { return false }
        }
        return true
    }

    private static func isType(_ letter: UInt8) -> Bool {
        letter == UInt8(ascii: "i") || letter == UInt8(ascii: "b") || letter == UInt8(ascii: "f")
            || letter == UInt8(ascii: "s")
    }

    /// One argument, or the result: what libffi is given the address of.
    private struct Cell {
        var bits: UInt64 = 0
        var text = em_slice()
    }

    /// Calls it: `em_status function(const em_function_call *, T *result, T …)`.
    func call(_ arguments: [Value], _ evaluator: Evaluator) -> Value {
        guard arguments.count == parameters.count, evaluator.spend(64) else { return .undefined }
        let count = parameters.count + 2
        let cells = UnsafeMutablePointer<Cell>.allocate(capacity: count)
        let pointers = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: count)
        let types = UnsafeMutablePointer<UnsafeMutablePointer<ffi_type>?>.allocate(capacity: count)
        let slices = UnsafeMutablePointer<em_slice>.allocate(capacity: count)
        let call = UnsafeMutablePointer<em_function_call>.allocate(capacity: 1)
        let output = UnsafeMutablePointer<Cell>.allocate(capacity: 1)
        defer {
            cells.deallocate()
            pointers.deallocate()
            types.deallocate()
            slices.deallocate()
            call.deallocate()
            output.deallocate()
        }
        cells.initialize(repeating: Cell(), count: count)
        slices.initialize(repeating: em_slice(), count: count)
        output.initialize(to: Cell())
        call.initialize(
            to: em_function_call(
                struct_size: UInt32(MemoryLayout<em_function_call>.size), reserved: 0, instance: instance,
                scan: evaluator.facts.scan,
                object: evaluator.facts.subject?.assumingMemoryBound(to: em_object.self),
                data: em_slice(ptr: evaluator.object.base, len: UInt64(evaluator.object.count))))
        cells[0].bits = UInt64(UInt(bitPattern: UnsafeRawPointer(call)))
        cells[1].bits = UInt64(UInt(bitPattern: UnsafeRawPointer(output)))
        types[0] = CFFI_pointer()
        types[1] = CFFI_pointer()
        for (index, letter) in parameters.enumerated() {
            let at = index + 2
            switch (letter, arguments[index]) {
            case (UInt8(ascii: "i"), .integer(let value)), (UInt8(ascii: "b"), .integer(let value)):
                cells[at].bits = UInt64(bitPattern: value)
                types[at] = CFFI_int64()
            case (UInt8(ascii: "f"), let value):
                guard let number = value.number else { return .undefined }
                cells[at].bits = number.bitPattern
                types[at] = CFFI_double()
            case (UInt8(ascii: "s"), .text(let text)):
                slices[at] = em_slice(ptr: text.base, len: UInt64(text.count))
                cells[at].bits = UInt64(UInt(bitPattern: UnsafeRawPointer(slices + at)))
                types[at] = CFFI_pointer()
            default: return .undefined
            }
        }
        for index in 0..<count { pointers[index] = UnsafeMutableRawPointer(cells + index) }
        var status: Int64 = 0
        guard CFFI_call(address, UInt32(count), types, pointers, &status) == 1 else { return .undefined }
        guard Int32(truncatingIfNeeded: status) == EM_OK else { return .undefined }
        switch result {
        case UInt8(ascii: "i"): return .integer(Int64(bitPattern: output.pointee.bits))
        case UInt8(ascii: "b"): return .boolean(output.pointee.bits != 0)
        case UInt8(ascii: "f"): return .double(Double(bitPattern: output.pointee.bits))
        default:
            let slice = UnsafeRawPointer(output).loadUnaligned(as: em_slice.self)
            // The module's memory is its own: a copy is kept.
            let text = ByteView(base: slice.ptr, count: Int(clamping: min(slice.len, 1 << 20))).array
            return evaluator.texts.keep(text).map { .text($0) } ?? .undefined
        }
    }
}
