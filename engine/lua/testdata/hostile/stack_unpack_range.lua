-- expect: script
return select('#', unpack({}, -9007199254740991, 9007199254740991))
