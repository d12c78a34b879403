import jsdoc from 'eslint-plugin-jsdoc'
import tseslint from 'typescript-eslint'

const IMPURE_GLOBALS = [
  'Buffer',
  'process',
  'console',
  'fetch',
  'crypto',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'performance',
  'window',
  'document',
  'navigator',
  'localStorage',
  'globalThis',
  'require',
  'WebSocket',
  'XMLHttpRequest'
]

export default tseslint.config(
  {
    ignores: [
      'node_modules',
      '.tools',
      '.salus',
      '.cache',
      'artifacts',
      'cache',
      'coverage',
      'types',
      'core/abi/types',
      'stubs'
    ]
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `process.env['X']` is what noPropertyAccessFromIndexSignature asks for.
      '@typescript-eslint/dot-notation': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-console': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }]
    }
  },
  {
    files: ['core/**/*.ts', 'node/**/*.ts', 'gateway/**/*.ts', 'agent/**/*.ts'],
    plugins: { jsdoc },
    rules: {
      'jsdoc/require-jsdoc': [
        'error',
        {
          publicOnly: true,
          require: { ClassDeclaration: true, FunctionDeclaration: true },
          contexts: ['TSInterfaceDeclaration', 'TSTypeAliasDeclaration', 'VariableDeclaration']
        }
      ]
    }
  },
  {
    // Purity of core: time, chance and the world come in as arguments (ARCHITECTURE.md).
    files: ['core/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...IMPURE_GLOBALS.map(name => ({ name, message: 'core is pure: pass it in.' }))
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'core has no clock: pass one in.' },
        { object: 'Math', property: 'random', message: 'core has no randomness: pass it in.' }
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'core has no clock: pass one in.'
        }
      ]
    }
  },
  { files: ['core/abi/*.ts', 'node/http/client-types.ts'], rules: { 'max-lines': 'off' } },
  {
    // chai's assertions are expressions, and hardhat's in-process chain returns loosely typed contracts.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off'
    }
  }
)
