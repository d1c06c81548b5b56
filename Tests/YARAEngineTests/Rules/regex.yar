// object: 786162637820616263200a53555031323320687474703a2f2f612e622f63206142432030306666313120616161616220666f6f5f62617220610062002e00630020454e44
rule yes_1 {
    strings:
        $a = /ab|abc/ fullword
    condition: #a == 1 and @a == 6
}
rule yes_2 {
    strings:
        $a = /SUP\d{3}/ fullword
    condition: $a
}
rule no_3 {
    strings:
        $a = /SUP\d{4}/
    condition: $a
}
rule yes_4 {
    strings:
        $a = /a+/
    condition: !a == 1 and #a > 5
}
rule yes_5 {
    strings:
        $a = /a+b/
    condition: #a > 5
}
rule yes_6 {
    strings:
        $a = /a.c/i
    condition: #a == 3
}
rule yes_7 {
    strings:
        $a = /a.c/ nocase
    condition: #a == 3
}
rule yes_8 {
    strings:
        $a = /a.c/
    condition: #a == 2
}
rule yes_9 {
    strings:
        $a = /END$/
    condition: $a
}
rule no_10 {
    strings:
        $a = /abc$/
    condition: $a
}
rule yes_11 {
    strings:
        $a = /^xabc/
    condition: $a at 0
}
rule no_12 {
    strings:
        $a = /^abc/
    condition: $a
}
rule yes_13 {
    strings:
        $a = /\babc\b/
    condition: @a == 6
}
rule yes_14 {
    strings:
        $a = /\Bbc/
    condition: $a
}
rule yes_15 {
    strings:
        $a = /[0-9a-f]{6}/
    condition: $a
}
rule yes_16 {
    strings:
        $a = /http:\/\/[^\/]+\/c/
    condition: $a
}
rule no_17 {
    strings:
        $a = /abc .SUP/
    condition: $a
}
rule yes_18 {
    strings:
        $a = /abc .SUP/s
    condition: $a
}
rule yes_19 {
    strings:
        $a = /a{2,3}b/
    condition: $a
}
rule yes_20 {
    strings:
        $a = /(foo|bar)_(foo|bar)/
    condition: $a
}
rule yes_21 {
    strings:
        $a = /b\.c/ wide
    condition: $a
}
rule yes_22 {
    strings:
        $a = /[^a-z]{3}/
    condition: $a
}
rule yes_23 {
    strings:
        $a = /\x61bc/
    condition: $a
}
rule yes_24 {
    strings:
        $a = /a+?b/
    condition: $a
}
rule yes_25 {
    strings:
        $a = /x(abc)?x/
    condition: !a == 5
}
rule yes_26 {
    strings:
        $a = /\w+_\w+/
    condition: $a
}
rule yes_27 {
    strings:
        $a = /E.*D/
    condition: $a
}
