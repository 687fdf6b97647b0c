-- expect: script
module('evil')
