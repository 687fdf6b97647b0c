-- expect: script
_printregs()
