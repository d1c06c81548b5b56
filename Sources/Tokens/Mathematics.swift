// The modules are linked without libm, and training and scanning must agree to the last bit, so the three
// functions that the classifier needs are here.

/// The natural logarithm of a positive, finite, normal number, to about 1e-15.
package func naturalLogarithm(_ value: Double) -> Double {
    var exponent = Double(value.exponent)
    var significand = value.significand
    if significand > 1.414_213_562_373_095 {
        significand /= 2
        exponent += 1
    }
    // ln(s) = 2 artanh((s - 1) / (s + 1)); |argument| < 0.172, so 12 terms are enough.
    let ratio = (significand - 1) / (significand + 1)
    let square = ratio * ratio
    var sum = 0.0
    var term = ratio
    var divisor = 1.0
    for _ in 0..<12 {
        sum += term / divisor
        term *= square
        divisor += 2
    }
    return 2 * sum + exponent * 0.693_147_180_559_945_3
}

/// e to the power of a number that is not positive; 0 below -708.
package func exponential(_ value: Double) -> Double {
    guard value > -708 else { return 0 }
    guard value < 0 else { return 1 }
    let halvings = Int(-value / 0.693_147_180_559_945_3) + 1
    let rest = value + Double(halvings) * 0.693_147_180_559_945_3
    var sum = 1.0
    var term = 1.0
    for i in 1...18 {
        term *= rest / Double(i)
        sum += term
    }
    // halvings is at most 1022 here: the bit pattern is a normal number.
    return sum * Double(bitPattern: UInt64(1023 - halvings) << 52)
}

/// The probability that a chi-square variable of 2 × `pairs` degrees of freedom is at least `value`.
package func chiSquareTail(_ value: Double, pairs: Int) -> Double {
    let half = value / 2
    var term = exponential(-half)
    var sum = term
    var i = 1
    while i < pairs {
        term *= half / Double(i)
        sum += term
        i += 1
    }
    return min(1, sum)
}
