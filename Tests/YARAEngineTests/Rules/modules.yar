// object: 616263616263616263
import "hash"
import "math"
import "time"
import "console"
rule yes_1 {
    condition: hash.md5(0, 3) == "900150983cd24fb0d6963f7d28e17f72"
}
rule yes_2 {
    condition: hash.sha1("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d"
}
rule yes_3 {
    condition: hash.sha256(0, 3) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
}
rule yes_4 {
    condition: hash.crc32(0, 3) == 0x352441c2
}
rule yes_5 {
    condition: hash.checksum32(0, 3) == 294
}
rule yes_6 {
    condition: math.entropy(0, filesize) > 1.58 and math.entropy(0, filesize) < 1.59
}
rule yes_7 {
    condition: math.mean(0, filesize) == 98
}
rule yes_8 {
    condition: math.deviation(0, filesize, 98.0) > 0.66
}
rule yes_9 {
    condition: defined math.serial_correlation(0, filesize)
}
rule yes_10 {
    condition: math.min(1, 2) == 1 and math.max(1, 2) == 2
}
rule yes_11 {
    condition: math.abs(-3) == 3
}
rule yes_12 {
    condition: math.to_number(1 == 1) == 1
}
rule yes_13 {
    condition: math.count(0x61) == 3
}
rule yes_14 {
    condition: math.percentage(0x61, 0, 3) > 0.3
}
rule yes_15 {
    condition: math.mode() == 0x61
}
rule yes_16 {
    condition: time.now() > 1600000000
}
rule yes_17 {
    condition: console.log("")
}
rule no_18 {
    condition: hash.md5(100, 3) == "x"
}
rule yes_19 {
    condition: not defined hash.md5(100, 3)
}
rule yes_20 {
    condition: math.monte_carlo_pi(0, 9) >= 0
}
