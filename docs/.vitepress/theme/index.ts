// Without the theme's own fonts: pages are shown in those of the system.
import Theme from 'vitepress/theme-without-fonts';
import './style.css';

export default Theme;
