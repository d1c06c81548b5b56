import BytesE

/// The module math.
extension Evaluator {
    func mathFunction(_ function: Function, _ arguments: [Value]) -> Value {
        switch function {
        case .mathInRange:
            guard arguments.count == 3, let value = arguments[0].number, let low = arguments[1].number,
                let high = arguments[2].number
            else { return .undefined }
            return .boolean(value >= low && value <= high)
        case .mathMin, .mathMax:
            guard arguments.count == 2, let a = arguments[0].integer, let b = arguments[1].integer else {
                return .undefined
            }
            // As numbers without a sign.
            let isFirst = UInt64(bitPattern: a) < UInt64(bitPattern: b)
            return .integer(isFirst == (function == .mathMin) ? a : b)
        case .mathToNumber: return .boolean(arguments.first?.isTrue ?? false)
        case .mathAbs: return arguments.first?.integer.map { .integer($0 == .min ? .min : abs($0)) } ?? .undefined
        case .mathToString: return text(arguments)
        case .mathCount, .mathPercentage, .mathMode: return frequency(function, arguments)
        case .mathDeviation:
            guard let mean = arguments.last?.number, let bytes = range(arguments), !bytes.isEmpty else {
                return .undefined
            }
            var sum = 0.0
            for (byte, count) in histogram(bytes).enumerated() { sum += abs(Double(byte) - mean) * Double(count) }
            return .double(sum / Double(bytes.count))
        case .mathMean:
            guard let bytes = range(arguments), !bytes.isEmpty else { return .undefined }
            var sum = 0.0
            for (byte, count) in histogram(bytes).enumerated() { sum += Double(byte) * Double(count) }
            return .double(sum / Double(bytes.count))
        case .mathEntropy:
            guard let bytes = range(arguments) else { return .undefined }
            var entropy = 0.0
            for count in histogram(bytes) where count > 0 {
                let share = Double(count) / Double(bytes.count)
                entropy -= share * binaryLogarithm(share)
            }
            return .double(entropy)
        case .mathSerialCorrelation: return range(arguments).map { serialCorrelation($0) } ?? .undefined
        case .mathMonteCarloPi: return range(arguments).flatMap { piError($0) }.map { .double($0) } ?? .undefined
        default: return .undefined
        }
    }

    private func histogram(_ bytes: ByteView) -> [Int] {
        var counts = [Int](repeating: 0, count: 256)
        for byte in bytes.buffer { counts[Int(byte)] += 1 }
        return counts
    }

    private func text(_ arguments: [Value]) -> Value {
        guard let value = arguments.first?.integer else { return .undefined }
        let base = arguments.count > 1 ? arguments[1].integer ?? 0 : 10
        var result: [UInt8] = []
        switch base {
        case 10: appendDecimal(value, &result)
        case 8, 16:
            var rest = UInt64(bitPattern: value)
            repeat {
                let digit = UInt8(rest % UInt64(base))
                result.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
                rest /= UInt64(base)
            } while rest > 0
            result.reverse()
        default: return .undefined
        }
        return texts.keep(result).map { .text($0) } ?? .undefined
    }

    /// math.count, .percentage (of one byte) and .mode, of the whole object or of a part.
    private func frequency(_ function: Function, _ arguments: [Value]) -> Value {
        let head = function == .mathMode ? 0 : 1
        let part: ByteView
        if arguments.count > head {
            guard let bytes = range(Array(arguments.dropFirst(head))) else { return .undefined }
            part = bytes
        } else {
            guard spend(object.count / 8) else { return .undefined }
            part = object
        }
        let counts = histogram(part)
        if function == .mathMode {
            var best = 0
            for byte in 1..<256 where counts[byte] > counts[best] { best = byte }
            return .integer(Int64(best))
        }
        guard let byte = arguments.first?.integer, byte >= 0, byte < 256 else { return .undefined }
        guard function == .mathPercentage else { return .integer(Int64(counts[Int(byte)])) }
        return part.isEmpty ? .undefined : .double(Double(counts[Int(byte)]) / Double(part.count))
    }

    /// How much each byte says about the next one (Knuth, The Art of Computer Programming, 3.3.2 K).
    private func serialCorrelation(_ bytes: ByteView) -> Value {
        guard spend(bytes.count / 4) else { return .undefined }
        var (products, sum, squares) = (0.0, 0.0, 0.0)
        var last = 0.0
        for byte in bytes.buffer {
            let value = Double(byte)
            products += last * value
            sum += value
            squares += value * value
            last = value
        }
        if !bytes.isEmpty { products += last * Double(bytes[0]) }
        let count = Double(bytes.count)
        let divisor = count * squares - sum * sum
        return .double(divisor == 0 ? -100_000 : (count * products - sum * sum) / divisor)
    }

    /// How far the share of points inside a circle, six bytes each, is from what chance gives.
    private func piError(_ bytes: ByteView) -> Double? {
        guard bytes.count >= 6, spend(bytes.count / 4) else { return nil }
        let radius = (256.0 * 256.0 * 256.0 - 1) * (256.0 * 256.0 * 256.0 - 1)
        var (inside, total) = (0.0, 0.0)
        var at = 0
        while at + 6 <= bytes.count {
            var (x, y) = (0.0, 0.0)
            for index in 0..<3 {
                x = x * 256 + Double(bytes[at + index])
                y = y * 256 + Double(bytes[at + 3 + index])
            }
            total += 1
            if x * x + y * y <= radius { inside += 1 }
            at += 6
        }
        let pi = 3.141592653589793
        return abs((4 * inside / total - pi) / pi)
    }

    /// log2 without a mathematics library: halving for the whole part, a series for the rest.
    private func binaryLogarithm(_ value: Double) -> Double {
        let exponent = Double(value.exponent)
        // ln m = 2 artanh((m - 1) / (m + 1)), m in 1..<2
        let ratio = (value.significand - 1) / (value.significand + 1)
        let square = ratio * ratio
        var (term, sum) = (ratio, 0.0)
        var divisor = 1.0
        while divisor < 60 {
            sum += term / divisor
            term *= square
            divisor += 2
        }
        return exponent + 2 * sum / 0.6931471805599453
    }
}
