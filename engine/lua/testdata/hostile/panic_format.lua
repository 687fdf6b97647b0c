-- expect: script
return string.format()
