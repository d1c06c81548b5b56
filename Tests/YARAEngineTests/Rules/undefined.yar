// object: 61626364
import "pe"
rule no_1 {
    condition: uint8(1000) == 3
}
rule no_2 {
    condition: not (uint8(1000) == 3)
}
rule no_3 {
    condition: not uint8(1000)
}
rule yes_4 {
    condition: uint8(1000) == 3 or true
}
rule yes_5 {
    condition: not defined uint8(1000)
}
rule yes_6 {
    condition: defined uint8(0)
}
rule no_7 {
    condition: uint16(3) == 0x64
}
rule no_8 {
    condition: uint8(-1) == 0
}
rule no_9 {
    condition: for any i in (uint8(1000)..3) : (true)
}
rule no_10 {
    strings:
        $a = "ab"
    condition: @a[0] == 0
}
rule no_11 {
    strings:
        $a = "ab"
    condition: not @a[3] == 0
}
rule no_12 {
    strings:
        $a = "zz"
    condition: @a == 0
}
rule no_13 {
    strings:
        $a = "zz"
    condition: !a == 2
}
rule no_14 {
    strings:
        $a = "ab"
    condition: $a at uint8(1000)
}
rule yes_15 {
    condition: not (pe.number_of_sections == 0) or true
}
rule no_16 {
    condition: not (pe.number_of_sections == 0)
}
rule yes_17 {
    condition: not pe.is_pe and not defined pe.number_of_sections
}
rule yes_18 {
    condition: pe.is_pe == 0
}
rule no_19 {
    condition: pe.entry_point == 0
}
rule no_20 {
    condition: for any s in pe.sections : (true)
}
