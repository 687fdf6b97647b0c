package action

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A codec moves values between one Go type and the canonical form. It is built
// once, when an action is declared, so that a call inspects no types.
type codec struct {
	typ Type
	// decode sets dst from a value that was normalised before, and so cannot fail.
	decode func(v any, dst reflect.Value)
	encode func(src reflect.Value) any
}

var (
	durationGoType   = reflect.TypeFor[time.Duration]()
	credentialGoType = reflect.TypeFor[Credential]()
	anyGoType        = reflect.TypeFor[any]()
)

// codecOf builds the codec of a Go type. It panics on a type that has no place
// in the model of values, since that is a mistake of the program.
func codecOf(t reflect.Type) codec {
	switch t {
	case durationGoType:
		return durationCodec()
	case credentialGoType:
		return credentialCodec()
	case anyGoType:
		return anyCodec()
	}
	switch t.Kind() {
	case reflect.String:
		return stringCodec()
	case reflect.Bool:
		return boolCodec()
	case reflect.Int, reflect.Int64:
		return integerCodec()
	case reflect.Float64:
		return numberCodec()
	case reflect.Slice:
		return listCodec(codecOf(t.Elem()))
	case reflect.Map:
		return mapCodec(t)
	case reflect.Struct:
		return structCodec(t)
	}
	panic(fmt.Sprintf("action: the type %s cannot be an input or an output", t))
}

func stringCodec() codec {
	return codec{
		typ: Type{Name: StringType},
		decode: func(v any, dst reflect.Value) {
			if s, ok := v.(string); ok {
				dst.SetString(s)
			}
		},
		encode: func(src reflect.Value) any { return src.String() },
	}
}

func boolCodec() codec {
	return codec{
		typ: Type{Name: BooleanType},
		decode: func(v any, dst reflect.Value) {
			if b, ok := v.(bool); ok {
				dst.SetBool(b)
			}
		},
		encode: func(src reflect.Value) any { return src.Bool() },
	}
}

func integerCodec() codec {
	return codec{
		typ: Type{Name: IntegerType},
		decode: func(v any, dst reflect.Value) {
			if f, ok := v.(float64); ok {
				dst.SetInt(int64(f))
			}
		},
		encode: func(src reflect.Value) any { return integerValue(src.Int()) },
	}
}

// integerValue keeps an integer that a float64 cannot hold exactly as text.
func integerValue(i int64) any {
	if i > maxExactInteger || i < -maxExactInteger {
		return strconv.FormatInt(i, 10)
	}
	return float64(i)
}

func numberCodec() codec {
	return codec{
		typ: Type{Name: NumberType},
		decode: func(v any, dst reflect.Value) {
			if f, ok := v.(float64); ok {
				dst.SetFloat(f)
			}
		},
		encode: func(src reflect.Value) any { return src.Float() },
	}
}

func durationCodec() codec {
	return codec{
		typ: Type{Name: DurationType},
		decode: func(v any, dst reflect.Value) {
			d, _ := DurationOf(v)
			dst.SetInt(int64(d))
		},
		encode: func(src reflect.Value) any { return time.Duration(src.Int()).String() },
	}
}

func credentialCodec() codec {
	return codec{
		typ: Type{Name: StringType, Credential: true},
		decode: func(v any, dst reflect.Value) {
			switch v := v.(type) {
			case string:
				dst.Set(reflect.ValueOf(NewCredential(v)))
			case Secret:
				dst.Set(reflect.ValueOf(Credential{secret: v}))
			}
		},
		encode: func(src reflect.Value) any { return src.Interface().(Credential).String() },
	}
}

func anyCodec() codec {
	return codec{
		typ: Type{Name: AnyType},
		decode: func(v any, dst reflect.Value) {
			if v != nil {
				dst.Set(reflect.ValueOf(v))
			}
		},
		encode: func(src reflect.Value) any {
			if src.IsNil() {
				return nil
			}
			return src.Interface()
		},
	}
}

func listCodec(elem codec) codec {
	return codec{
		typ: Type{Name: ListType, Elem: &elem.typ},
		decode: func(v any, dst reflect.Value) {
			items, _ := v.([]any)
			dst.Set(reflect.MakeSlice(dst.Type(), len(items), len(items)))
			for i, item := range items {
				elem.decode(item, dst.Index(i))
			}
		},
		encode: func(src reflect.Value) any {
			out := make([]any, src.Len())
			for i := range out {
				out[i] = elem.encode(src.Index(i))
			}
			return out
		},
	}
}

func mapCodec(t reflect.Type) codec {
	if t != reflect.TypeFor[Object]() {
		panic(fmt.Sprintf("action: a map must be a map[string]any, not %s", t))
	}
	return codec{
		typ: Type{Name: ObjectType},
		decode: func(v any, dst reflect.Value) {
			if o, ok := v.(Object); ok {
				dst.Set(reflect.ValueOf(o))
			}
		},
		encode: func(src reflect.Value) any {
			o := src.Interface().(Object)
			if o == nil {
				return nil
			}
			return o
		},
	}
}

// structs are the codecs of the structs that were read: many actions share the
// types of their inputs and outputs, and every start of a program declares all.
var structs sync.Map // from reflect.Type to codec

// structCodec maps the exported fields of a struct, in order.
func structCodec(t reflect.Type) codec {
	if known, ok := structs.Load(t); ok {
		return known.(codec)
	}
	made := newStructCodec(t)
	structs.Store(t, made)
	return made
}

func newStructCodec(t reflect.Type) codec {
	schema, codecs, indexes := schemaOf(t)
	name := schema.Name
	if name == "" {
		name = ObjectType
	}
	return codec{
		typ: Type{Name: name, Fields: schema},
		decode: func(v any, dst reflect.Value) {
			o, _ := v.(Object)
			for i := range codecs {
				if field := o[schema.Fields[i].Name]; field != nil {
					codecs[i].decode(field, dst.FieldByIndex(indexes[i]))
				}
			}
		},
		encode: func(src reflect.Value) any {
			out := make(Object, len(codecs))
			for i := range codecs {
				if v := codecs[i].encode(src.FieldByIndex(indexes[i])); v != nil {
					out[schema.Fields[i].Name] = v
				}
			}
			return out
		},
	}
}

// A typeNamer is a struct with a name of its own in reference tables, such as
// "user".
type typeNamer interface{ TypeName() string }

var typeNamerType = reflect.TypeFor[typeNamer]()

// schemaOf reads the fields of a struct; those of an embedded one are its own, as
// in Go itself.
func schemaOf(t reflect.Type) (*Schema, []codec, [][]int) {
	schema := &Schema{}
	if t.Implements(typeNamerType) {
		schema.Name = reflect.Zero(t).Interface().(typeNamer).TypeName()
	}
	fields := fieldsOf(t)
	schema.Fields = make([]Field, 0, len(fields))
	codecs, indexes := make([]codec, 0, len(fields)), make([][]int, 0, len(fields))
	for i := range fields {
		f := &fields[i]
		if !f.IsExported() || f.Anonymous {
			continue
		}
		tags := tagsOf(f.Tag)
		if tags.name == "-" {
			continue
		}
		if _, twice := schema.Field(tags.name); twice {
			panic(fmt.Sprintf("action: %s has two fields %q", t, tags.name))
		}
		c := codecOf(f.Type)
		schema.Fields = append(schema.Fields, fieldOf(t, f, tags, c.typ))
		codecs = append(codecs, c)
		indexes = append(indexes, f.Index)
	}
	return schema, codecs, indexes
}

// fieldsOf returns the fields of a struct and of those that it embeds.
func fieldsOf(t reflect.Type) []reflect.StructField {
	fields := make([]reflect.StructField, t.NumField())
	for i := range fields {
		if fields[i] = t.Field(i); fields[i].Anonymous {
			return reflect.VisibleFields(t) // it knows the rules, and takes longer
		}
	}
	return fields
}

// fieldOf makes a field of a struct field and its tags.
func fieldOf(owner reflect.Type, f *reflect.StructField, tags tags, t Type) Field {
	wrong := func(format string, args ...any) {
		panic(fmt.Sprintf("action: %s.%s: ", owner, f.Name) + fmt.Sprintf(format, args...))
	}
	if tags.name == "" {
		wrong("there is no json tag")
	}
	field := Field{
		Name: tags.name, Type: t, Doc: tags.doc, Format: tags.format, Required: tags.required == "true", Secrets: tags.secrets == "true",
		Bindable: tags.bindable == "true",
	}
	length := func(tag, text string) int {
		n, err := strconv.Atoi(text)
		if text != "" && err != nil {
			wrong("the tag %s:%q is not a number", tag, text)
		}
		return n
	}
	field.MinLength, field.MaxLength = length("min", tags.min), length("max", tags.max)
	if tags.enum != "" {
		field.Enum = strings.Split(tags.enum, ",")
	}
	if field.Format != "" && !slices.Contains(Formats(), field.Format) {
		wrong("there is no format %q", field.Format)
	}
	if constrained := len(field.Enum) > 0 || field.Format != "" || field.MinLength > 0 || field.MaxLength > 0; constrained && t.Name != StringType {
		wrong("enum, format, min and max are for strings")
	}
	if tags.hasDefault {
		normal, problems := field.Normalize(defaultValue(t, tags.defaultText))
		if len(problems) > 0 {
			wrong("the default does not fit: %v", problems)
		}
		field.Default = normal
	}
	return field
}

// defaultValue reads the text of a default tag. What is no value of the type is
// returned as text, which [Field.Normalize] then refuses.
func defaultValue(t Type, text string) any {
	switch t.Name {
	case BooleanType:
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	case IntegerType, NumberType:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
	}
	return text
}
