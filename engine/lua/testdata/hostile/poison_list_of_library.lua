-- expect: script
list(string)
